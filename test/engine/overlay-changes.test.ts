import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isOverlayKind, overlayAgents } from "../../components/overlays/agents";
import type { ExistingHostsArgs, ExistingMachine } from "../../components/hosts/existing";
import { root, Stack } from "../../tools/lab/pulumi";
import { readable } from "./readable";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const machine = (place: number): ExistingMachine => ({ address: `192.168.7.${place}`, hostKey });
const network = "192.168.7.0/24";
const control: ExistingHostsArgs = { role: "manager", site: "rack", network, machines: { a: machine(1), b: machine(2), c: machine(3) } };
const edge: ExistingHostsArgs = { role: "worker", site: "rack", network, machines: { a: machine(11) } };
const base = { groups: { control, edge }, firewall: { ssh: ["198.51.100.0/24"] }, networks: { web: {} } };

const kinds = Object.keys(overlayAgents).filter(isOverlayKind);

/** Of each resource that changes what changes, and of a rule or program that comes or goes what it is. */
function short(text: string): string {
  const blocks = text.trimEnd().split("\n\n");
  return blocks
    .map((block) => {
      const [title = "", ...lines] = block.split("\n");
      if (title.startsWith("Resources:")) return block;
      const kept = title.includes("(update)") ? lines.filter((line) => /^\s*[-+~] /.test(line)) : whatItIs(block);
      return [title, ...kept].join("\n");
    })
    .join("\n");
}

function whatItIs(block: string): readonly string[] {
  const [, protocol] = /protocol *: "(\w+)"/.exec(block) ?? [];
  const ports = /ports *: \[([^\]]*\]: [^\]]*)*\]/.exec(block)?.[0].match(/"[\d-]+"/g) ?? [];
  const [, version] = /version *: "([^"]+)"/.exec(block) ?? [];
  return [...(protocol === undefined ? [] : [`    ${[protocol, ...ports].join(" ")}`]), ...(version === undefined ? [] : [`    ${version}`])];
}

function compare(from: string, found: string): void {
  const folder = join(__dirname, "golden", "overlays");
  const file = join(folder, `from-${from}.txt`);
  if (process.env["UPDATE_GOLDEN"]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, found);
  }
  assert.ok(existsSync(file), `there is no ${file}: UPDATE_GOLDEN=1 writes it`);
  assert.equal(found, readFileSync(file, "utf8"));
}

/** Nothing is made of them: a host is first asked by `up`, which refuses where a network is used (decision 0008). */
describe("the preview of a change of the overlay", function () {
  this.timeout(240_000);

  for (const from of kinds) {
    const to = kinds.filter((kind) => kind !== from);
    it(`shows what changes from ${from} to ${to.join(", ")} (golden/overlays/from-${from}.txt)`, async () => {
      const stack = new Stack(`overlays-${from}`, join(__dirname, "program"));
      const file = join(root, ".lab", `overlays-${from}.json`);
      const describeCluster = (kind: string): void => writeFileSync(file, JSON.stringify({ ...base, [kind]: {} }));
      const remove = (): Promise<unknown> => stack.pulumi(["stack", "rm", "--yes", "--force"]);
      mkdirSync(join(root, ".lab"), { recursive: true });
      await remove();
      try {
        await stack.init();
        await stack.setConfig({ "engine:spec": file });
        describeCluster(from);
        const made = await stack.up();
        assert.equal(made.code, 0, made.stdout + made.stderr);
        const found: string[] = [];
        for (const kind of to) {
          describeCluster(kind);
          const { code, stdout, stderr } = await stack.preview("--diff", "--suppress-outputs");
          assert.equal(code, 0, stdout + stderr);
          assert.ok(stdout.includes(`"${from}" => "${kind}"`), stdout);
          found.push(`── ${from} to ${kind} ──\n${short(readable(stdout))}\n`);
        }
        compare(from, found.join("\n"));
      } finally {
        await remove();
      }
    });
  }
});
