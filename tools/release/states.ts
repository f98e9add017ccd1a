import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SwarmClusterArgs } from "../../components";
import type { ExistingHostsArgs, ExistingMachine } from "../../components/hosts/existing";
import { root, Stack } from "../lab/pulumi";

/*
 * States that released versions left behind, so that a test can say what the next version would do to them. They are those of clusters
 * whose hosts are never dialled; the passphrase is no secret, as nothing in them is.
 */

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const machine = (place: number): ExistingMachine => ({ address: `192.168.7.${place}`, publicAddress: `203.0.113.${place}`, hostKey });
const groups: Readonly<Record<string, ExistingHostsArgs>> = {
  control: { role: "manager", site: "rack", machines: { a: machine(1), b: machine(2), c: machine(3) } },
  edge: { role: "worker", site: "rack", labels: { disk: "ssd" }, machines: { a: machine(11), b: machine(12) } },
};
const firewall: SwarmClusterArgs["firewall"] = {
  ssh: ["198.51.100.0/24"],
  expose: { https: { port: 443, from: ["world"], on: "workers" } },
  allow: { metrics: { port: 9100, from: ["198.51.100.7/32"] } },
};
const networks: SwarmClusterArgs["networks"] = { web: {}, db: { internal: true } };

/** What the program in test/engine/program is told. A case is never changed, or its older states would say nothing; add another one. */
export const cases = {
  native: { groups, firewall, networks, wireguard: {}, swarm: { autolock: true } },
  flannel: { groups, firewall, networks: { web: {} }, flannel: {} },
} as const;

export type Case = keyof typeof cases;

export const caseNames = Object.keys(cases) as Case[];

export const states = join(root, "test", "engine", "states");

export const version = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;

/** A stack of the case's cluster, with nothing in it. Its name is in each URN of the state. */
export async function emptyStack(name: Case): Promise<Stack> {
  const stack = new Stack(`released-${name}`, join(root, "test", "engine", "program"), { PULUMI_CONFIG_PASSPHRASE: "released" });
  const spec = join(root, ".lab", `${stack.name}.json`);
  mkdirSync(join(root, ".lab"), { recursive: true });
  writeFileSync(spec, JSON.stringify(cases[name]));
  await removeStack(stack);
  await stack.init();
  await stack.setConfig({ "engine:spec": spec });
  return stack;
}

export async function removeStack(stack: Stack): Promise<void> {
  await stack.pulumi(["stack", "rm", "--yes", "--force"]);
}

/** @returns the state as the engine exports it, without when it was made. */
export async function stateOf(name: Case): Promise<string> {
  const stack = await emptyStack(name);
  try {
    const made = await stack.up();
    if (made.code !== 0) throw new Error(`the cluster "${name}" cannot be made: ${made.stdout}${made.stderr}`);
    return `${JSON.stringify(JSON.parse(await stack.export()), withoutTimes, 1)}\n`;
  } finally {
    await removeStack(stack);
  }
}

function withoutTimes(key: string, value: unknown): unknown {
  return key === "created" || key === "modified" ? undefined : value;
}
