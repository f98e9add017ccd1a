import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileFunction } from "node:vm";
import { parse } from "yaml";
import * as index from "../../components";
import { describeProblems, planCluster } from "../../components/cluster/plan";
import * as aws from "../../components/hosts/aws";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import * as local from "../../components/hosts/local";
import type { ClusterArgs } from "../../plugin/args";
import { inUsersWords } from "../../plugin/provider";
import { richArgs } from "../../plugin/rich";
import { clientKey } from "../unit/client-key";
import { javascript } from "./mistakes/javascript";
import { yaml } from "./mistakes/yaml";

/*
 * The table of mistakes: what newcomers write, and all that they are told. The golden files are to be read as a newcomer would, before
 * they are accepted (UPDATE_GOLDEN=1 writes them).
 */

const folder = join(__dirname, "golden", "mistakes");
const least = 120;

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
type Loose = Readonly<Record<string, unknown>>;
const machine = (address: unknown): Loose => ({ a: { address, hostKey } });
const rack = (more: Loose = {}): unknown =>
  existing.hosts({ role: "manager", privateKey: clientKey, machines: machine("192.168.7.10"), ...more } as unknown as existing.ExistingHostsArgs);
const scope: Loose = {
  ...index,
  ...{ aws, existing, hetzner, local, hostKey, rack },
  at: (address: unknown) => rack({ machines: machine(address) }),
  control: local.hosts({ role: "manager", count: 3 }),
};

/** What a person is told, word by word; nothing where nothing is wrong. */
function told(line: string): string {
  const run = (text: string): unknown =>
    (compileFunction(`return ${text};`, Object.keys(scope)) as (...all: unknown[]) => unknown)(...Object.values(scope));
  if (line.startsWith("new ")) {
    try {
      run(line);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  }
  const fine = { hosts: { control: scope["control"] }, firewall: { ssh: ["198.51.100.0/24"] } };
  const args = { ...fine, ...(run(`({ ${line} })`) as Loose) };
  return withoutProblems(planCluster(args as unknown as index.SwarmClusterArgs).problems);
}

function toldInYaml(lines: string): string {
  const fine = { hosts: { control: { provider: "local", role: "manager", count: 3 } }, firewall: { ssh: ["203.0.113.0/24"] } };
  const { args, problems } = richArgs({ ...fine, ...(parse(lines) as Loose) } as unknown as ClusterArgs);
  // The component does not get as far as a plan where what arrived cannot be read.
  return inUsersWords(withoutProblems(problems.length > 0 ? problems : planCluster(args).problems));
}

function withoutProblems(problems: Parameters<typeof describeProblems>[1]): string {
  return problems.length === 0 ? "" : describeProblems("prod", problems);
}

const groups: Readonly<Record<string, readonly (readonly [title: string, code: string, said: string])[]>> = {
  ...Object.fromEntries(Object.entries(javascript).map(([group, rows]) => [group, rows.map(([title, line]) => [title, line, told(line)] as const)])),
  yaml: yaml.map(([title, lines]) => [title, lines, toldInYaml(lines)] as const),
};

describe("the table of mistakes", () => {
  const all = Object.values(groups).flat();

  it(`has ${least} of them and more, none twice`, () => {
    assert.ok(all.length >= least, `${all.length}`);
    for (const rows of Object.values(groups)) assert.equal(new Set(rows.map(([, code]) => code)).size, rows.length);
  });

  for (const [group, rows] of Object.entries(groups)) {
    describe(group, () => {
      for (const [title, , said] of rows) {
        it(`answers ${title}`, () => {
          assert.notEqual(said, "", "nobody is told");
          assert.match(said, /^(The|There) [^\n]+\n? ?[^]*Fix: /);
          assert.doesNotMatch(said, /undefined|\[object |^ +at /m);
        });
      }

      it("is answered as it was when a person read it", () => {
        const text = `${rows.map(([title, code, said]) => `# ${title}\n${code}\n\n${said}\n`).join("\n\n")}`;
        const file = join(folder, `${group.replaceAll(" ", "-")}.txt`);
        if (process.env["UPDATE_GOLDEN"] !== undefined) {
          mkdirSync(folder, { recursive: true });
          writeFileSync(file, text);
        }
        assert.equal(text, readFileSync(file, "utf8"));
      });
    });
  }
});
