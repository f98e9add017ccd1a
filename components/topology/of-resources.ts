import type { FirewallRule } from "../firewall/rule";
import type { NetworkPolicy } from "../network-policy/policy";
import type { EncryptionChannel } from "../addresses/encryption";
import {
  byName,
  type Topology,
  type TopologyGateway,
  type TopologyHost,
  type TopologyNetwork,
  type TopologyPeer,
  type TopologyProgram,
  type TopologySubnet,
  type TopologyTrunk,
} from "./topology";

/** A resource as previews and states write it down. */
export interface WrittenResource {
  readonly urn: string;
  readonly type: string;
  /** URN of the parent. */
  readonly parent?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Of a cluster in a preview, what is known of it when it is made. @default - not read */
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** One cluster of several that a program may have. */
export interface FoundTopology {
  /** URN of the component that all of it belongs to. */
  readonly urn: string;
  readonly topology: Topology;
}

export const ours = "pulumi-swarm:index:";
/** Components that have hosts, rules, subnets of their own. */
export const owners: readonly string[] = ["SwarmCluster", "HostFirewall", "WireGuardMesh"].map((name) => ours + name);

/** What each provider makes a machine of. */
export const machineTypes = ["docker:index/container:Container", "aws:ec2/instance:Instance", "hcloud:index/server:Server"] as const;

export type MachineType = (typeof machineTypes)[number];

/** Whether a resource is a host's machine. */
export function isMachineType(type: string): type is MachineType {
  return (machineTypes as readonly string[]).includes(type);
}

/**
 * The clusters among resources of a preview or of a state, in the order of their names. What is only known when it is made
 * (an unknown) stays as it is written: only leaf values are.
 */
export function topologiesIn(resources: readonly WrittenResource[]): FoundTopology[] {
  const children = new Map<string, WrittenResource[]>();
  for (const resource of resources) {
    const siblings = children.get(resource.parent ?? "") ?? [];
    siblings.push(resource);
    children.set(resource.parent ?? "", siblings);
  }
  return resources
    .filter(({ type }) => owners.includes(type))
    .map((owner) => ({ urn: owner.urn, topology: topologyFrom(owner, children.get(owner.urn) ?? []) }))
    .sort((a, b) => (a.topology.cluster < b.topology.cluster ? -1 : 1));
}

/** The name that the program gave a resource. */
export function nameIn(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

function topologyFrom(owner: WrittenResource, children: readonly WrittenResource[]): Topology {
  const cluster = nameIn(owner.urn);
  const own = (urn: string): string => nameIn(urn).slice(cluster.length + 1);
  const all = <T>(type: string, read: (inputs: Readonly<Record<string, unknown>>, name: string) => T): T[] => {
    const found = children.filter((child) => child.type === ours + type);
    return byName(found, ({ urn }) => own(urn)).map(({ urn, inputs }) => read(inputs, own(urn)));
  };
  const { addressSpace, overlay, underlay, mtu, enforced } = owner.inputs as unknown as Topology;
  return {
    cluster,
    addressSpace: addressSpace ?? "",
    overlay: overlay ?? "none",
    underlay: underlay ?? "direct",
    mtu: mtu ?? 0,
    ...(enforced !== undefined && { enforced }),
    hosts: all("Host", (inputs, key) => hostFrom(key, inputs as unknown as TopologyHost)),
    networks: all("OverlayNetwork", (inputs) => {
      const { name, subnet, internal } = inputs as unknown as TopologyNetwork;
      return { name, subnet, internal };
    }),
    gateways: all("Gateway", (inputs) => {
      const { name, to, port, targetPort, on, networks, encryptedBy, image } = inputs as unknown as TopologyGateway;
      return { name, to, port, targetPort, on, networks, encryptedBy, image };
    }),
    subnets: all("SubnetAssignment", (inputs) => {
      const { owner, cidr, purpose, pinned } = inputs as unknown as TopologySubnet;
      return { owner, cidr, purpose, pinned };
    }),
    rules: all("FirewallRule", (inputs, name) => ({ ...(inputs as unknown as FirewallRule), name })),
    policies: all("NetworkPolicy", ({ policy, ...inputs }) => ({ ...(inputs as unknown as NetworkPolicy), name: String(policy) })),
    peers: all("BgpPeer", ({ router, ...inputs }) => ({ ...(inputs as unknown as TopologyPeer), name: String(router) })),
    trunks: all("VlanTrunk", ({ trunk, ...inputs }) => ({ ...(inputs as unknown as TopologyTrunk), name: String(trunk) })),
    encryption: all("Encryption", (inputs) => inputs as unknown as EncryptionChannel),
    programs: all("HostProgram", ({ program, version }): TopologyProgram => ({ name: String(program), version: String(version) })),
  };
}

function hostFrom(key: string, inputs: TopologyHost & { readonly sshPort?: unknown; readonly labels?: unknown }): TopologyHost {
  const { sshPort: _port, labels: _labels, ...host } = inputs;
  return { ...host, key };
}
