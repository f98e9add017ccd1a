import assert from "node:assert/strict";
import { SwarmCluster, type SwarmClusterArgs } from "../../components";
import type { SwarmRequest } from "../../components/agents/request";
import * as hetzner from "../../components/hosts/hetzner";
import { type Answers, type Graph, isSecret, record, type Registered } from "./harness";

export const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
export const locations = ["fsn1", "nbg1", "hel1"] as const;
export const control = hetzner.hosts({ role: "manager", count: 3, locations });
export const three: SwarmClusterArgs = { hosts: { control } };

export const server = "hcloud:index/server:Server";
export const primaryIp = "hcloud:index/primaryIp:PrimaryIp";
export const firewall = "hcloud:index/firewall:Firewall";
export const placementGroup = "hcloud:index/placementGroup:PlacementGroup";
export const stash = "pulumi:index:Stash";

const ids = new Map<string, number>();

/** Ids are numbers, as Hetzner's are, another one for each resource. */
export function idOf(type: string, name: string): number {
  const key = `${type} ${name}`;
  const id = ids.get(key) ?? 1000 + ids.size;
  ids.set(key, id);
  return id;
}

/** Outputs that Hetzner would give. */
export const answers: Answers = {
  outputs: ({ type, name, inputs }) => ({
    ...(type === primaryIp && { ipAddress: publicIpOf(name) }),
    ...(type === server && { networks: [{ ip: "10.72.9.9", ...(inputs as { networks: object[] }).networks[0] }] }),
    ...(type === "aws:ec2/eip:Eip" && { publicIp: "198.51.102.1" }),
  }),
  id: ({ type, name }) => String(idOf(type, name)),
  call: ({ inputs }) => ({ id: imageOf(inputs as object) }),
};

/** An id of its own for each image that is asked for. */
export function imageOf(inputs: object): number {
  return idOf("image", JSON.stringify(inputs));
}

/** Another one for each host: `lab-control-2-nbg1` has 198.51.100.2. */
function publicIpOf(name: string): string {
  return `198.51.${name.includes("control") ? 100 : 101}.${/-(\d+)-[a-z]+\d?$/.exec(name)?.[1]}`;
}

export async function graphOf(args: SwarmClusterArgs, options: { readonly preview?: boolean } & Answers = {}): Promise<Graph> {
  const graph = await record(() => new SwarmCluster("lab", { firewall: { ssh: ["203.0.113.0/24"] }, ...args }), { ...answers, ...options });
  assert.equal(graph.error, undefined, `the program threw ${String(graph.error)}`);
  return graph;
}

export function find({ resources }: Graph, type: string, name: string): Registered {
  return resources.find((resource) => resource.type === type && resource.name === name) ?? assert.fail(`no ${type} ${name}`);
}

export function ofType({ resources }: Graph, type: string): readonly Registered[] {
  return resources.filter((resource) => resource.type === type);
}

export function isHcloud({ type }: Registered): boolean {
  return type.startsWith("hcloud:");
}

export function requestOf(graph: Graph): SwarmRequest {
  const { stdin } = find(graph, "command:local:Command", "lab-swarm").inputs;
  assert.ok(isSecret(stdin));
  return JSON.parse(stdin.secret as string) as SwarmRequest;
}

export async function inputsOf(
  args: Partial<hetzner.HetznerHostsArgs>,
  more: Partial<SwarmClusterArgs> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const group = hetzner.hosts({ role: "manager", ...args });
  return find(await graphOf({ hosts: { control: group }, ...more }), server, "lab-control-1").inputs;
}
