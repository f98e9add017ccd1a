import type { PolicyResource } from "@pulumi/policy";
import { isMachineType, type MachineType } from "../topology/of-resources";
import { byName } from "../topology/topology";
import { type Noted, plainAt, unknown } from "./noted";

/** A machine of a manager, as far as a policy can see. */
export interface ManagerMachine {
  readonly urn: string;
  /** Name of the host's resource, with the cluster's in front. */
  readonly host: string;
  /** URN of the cluster. */
  readonly cluster: string | undefined;
  readonly protect: boolean;
  /** Whether it will be another machine than now: nothing is known of it, though what outlives it stands. */
  readonly anew: boolean;
}

type Seen = Pick<PolicyResource, "urn" | "type" | "name" | "props" | "opts" | "parent">;

/** Machines that this package makes, each with an output that nobody knows before it is made, and that no update changes. */
const machines: Readonly<Record<MachineType, string>> = {
  "aws:ec2/instance:Instance": "arn",
  "hcloud:index/server:Server": "status",
  "docker:index/container:Container": "networkDatas",
};

/** What a host keeps while its machine is made anew, likewise. Local hosts have nothing of the kind. */
const kept: Readonly<Record<string, string>> = {
  "aws:ec2/networkInterface:NetworkInterface": "arn",
  "hcloud:index/primaryIp:PrimaryIp": "ipAddress",
};

/**
 * A policy is not shown what a stack was before. A machine that is replaced looks like a new one, but for what of its host
 * stands already.
 */
export function managerMachines(resources: readonly Seen[], noted: Noted): ManagerMachine[] {
  const standing = new Set(resources.filter((each) => stands(each, kept)).map(({ parent }) => parent?.urn));
  const found = resources.flatMap((each) => {
    const host = noted.get(each.parent?.urn);
    if (each.parent === undefined || !isMachineType(each.type) || host?.inputs["role"] !== "manager") return [];
    const anew = !stands(each, machines) && standing.has(each.parent.urn);
    return [{ urn: each.urn, host: each.parent.name, cluster: host.parent, protect: each.opts.protect, anew }];
  });
  return byName(found, ({ host }) => host);
}

function stands({ type, props }: Seen, told: Readonly<Record<string, string>>): boolean {
  const output = told[type];
  if (output === undefined) return false;
  const value = plainAt(props, output);
  return value !== undefined && value !== unknown;
}
