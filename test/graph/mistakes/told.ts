import { compileFunction } from "node:vm";
import { parse } from "yaml";
import * as index from "../../../components";
import { describeProblems, planCluster } from "../../../components/cluster/plan";
import { type Planned } from "../../../components/cluster/planned";
import * as aws from "../../../components/hosts/aws";
import * as existing from "../../../components/hosts/existing";
import * as hetzner from "../../../components/hosts/hetzner";
import * as local from "../../../components/hosts/local";
import type { ClusterArgs } from "../../../plugin/args";
import { inUsersWords } from "../../../plugin/provider";
import { richArgs } from "../../../plugin/rich";
import { clientKey } from "../../unit/client-key";

/* What a person is told of a line with a mistake in it, word by word; nothing where nothing is wrong. */

type Loose = Readonly<Record<string, unknown>>;

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const machine = (address: unknown): Loose => ({ a: { address, hostKey } });
const rack = (more: Loose = {}): unknown =>
  existing.hosts({ role: "manager", privateKey: clientKey, machines: machine("192.168.7.10"), ...more } as unknown as existing.ExistingHostsArgs);
const scope: Loose = {
  ...index,
  ...{ aws, existing, hetzner, local, hostKey, rack },
  at: (address: unknown) => rack({ machines: machine(address) }),
  control: local.hosts({ role: "manager", count: 3 }),
};

/** Of a line of plain JavaScript. */
export function told(line: string): string {
  if (!line.startsWith("new ")) return withoutProblems(planOf(line).problems);
  try {
    run(line);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

/** Of a line with which the cluster can be made: what its summary tells the user to look at. */
export function warnedOf(line: string): string {
  const { plan, problems } = planOf(line);
  return problems.length > 0 ? withoutProblems(problems) : plan.warnings.map((warning) => `look at  ${warning}`).join("\n");
}

/** Of lines of YAML. */
export function toldInYaml(lines: string): string {
  const fine = { hosts: { control: { provider: "local", role: "manager", count: 3 } }, firewall: { ssh: ["203.0.113.0/24"] } };
  const { args, problems } = richArgs({ ...fine, ...(parse(lines) as Loose) } as unknown as ClusterArgs);
  // The component does not get as far as a plan where what arrived cannot be read.
  return inUsersWords(withoutProblems(problems.length > 0 ? problems : planCluster(args).problems));
}

function planOf(line: string): Planned {
  const fine = { hosts: { control: scope["control"] }, firewall: { ssh: ["198.51.100.0/24"] } };
  return planCluster({ ...fine, ...(run(`({ ${line} })`) as Loose) } as unknown as index.SwarmClusterArgs);
}

function run(text: string): unknown {
  return (compileFunction(`return ${text};`, Object.keys(scope)) as (...all: unknown[]) => unknown)(...Object.values(scope));
}

function withoutProblems(problems: Parameters<typeof describeProblems>[1]): string {
  return problems.length === 0 ? "" : describeProblems("prod", problems);
}
