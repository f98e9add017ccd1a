import type { FirewallRule } from "../firewall/rule";
import type { HostRole, PublicAddress } from "../hosts/host";
import type { NetworkPolicy } from "../network-policy/policy";
import type { PlannedPeer } from "../overlays/peers";
import type { PlannedTrunk } from "../overlays/trunks";
import type { EncryptionChannel } from "../addresses/encryption";

/** A host as a picture or a review shows it. */
export interface TopologyHost {
  readonly key: string;
  /** Undefined where what was read is of a version that did not write it down. */
  readonly group?: string;
  readonly role: HostRole;
  readonly provider: string;
  readonly site: string;
  readonly zone?: string;
  readonly address?: string;
  readonly publicAddress?: PublicAddress;
  /** Address that other sites see when it calls them. */
  readonly seenAs?: string;
  readonly tunnelAddress?: string;
  /** `drain` if the program keeps tasks away from it. */
  readonly availability?: "drain";
  /** The subnet of its containers, in CIDR form, if the overlay gives each host a subnet. */
  readonly containerSubnet?: string;
}

/** An overlay network as a picture or a review shows it. */
export interface TopologyNetwork {
  readonly name: string;
  /** In CIDR form. */
  readonly subnet: string;
  readonly internal: boolean;
}

/** What containers reach outside the swarm, as a picture or a review shows it. */
export interface TopologyGateway {
  readonly name: string;
  readonly to: string;
  readonly port: number;
  readonly targetPort: number;
  /** Hosts that may run it, in the words of the program. */
  readonly on: string;
  readonly networks: readonly string[];
  readonly encryptedBy: string;
  /** Image of its proxy. */
  readonly image: string;
}

/** A router outside the cluster, to which hosts announce containers. */
export type TopologyPeer = PlannedPeer;

/** A VLAN of the user's own switch, whose machines take part in a network. */
export type TopologyTrunk = PlannedTrunk;

/** A piece of address space and who has it. */
export interface TopologySubnet {
  readonly owner: string;
  readonly cidr: string;
  readonly purpose: string;
  readonly pinned: boolean;
}

/** A program that runs on hosts beside Docker. */
export interface TopologyProgram {
  readonly name: string;
  readonly version: string;
}

/**
 * The shape of a cluster, as a person wants to see it. It comes from a plan, or from the resources of a preview or a state, and
 * is the same in both cases: whoever draws or compares clusters needs no more.
 */
export interface Topology {
  readonly cluster: string;
  readonly addressSpace: string;
  readonly overlay: string;
  readonly underlay: string;
  /** Largest packet of a container, in bytes. */
  readonly mtu: number;
  /** Who drops traffic that no rule allows. Undefined where what was read is of a version that did not write it down. */
  readonly enforced?: "hosts" | "none";
  readonly hosts: readonly TopologyHost[];
  readonly networks: readonly TopologyNetwork[];
  readonly gateways: readonly TopologyGateway[];
  readonly subnets: readonly TopologySubnet[];
  /** What is let in. Names are as in resource names: no spaces. */
  readonly rules: readonly FirewallRule[];
  /** What is let through between networks, and to them from outside. */
  readonly policies: readonly NetworkPolicy[];
  readonly peers: readonly TopologyPeer[];
  readonly trunks: readonly TopologyTrunk[];
  readonly encryption: readonly EncryptionChannel[];
  readonly programs: readonly TopologyProgram[];
}

/** In the order of their names, as a person counts: `edge-2` before `edge-10`. An engine's own order differs from run to run. */
export function byName<T>(all: readonly T[], nameOf: (each: T) => string): T[] {
  return [...all].sort((a, b) => nameOf(a).localeCompare(nameOf(b), "en", { numeric: true }));
}

/** Nothing of a cluster: what was before it was made, and what is left when it is taken away. */
export function nothingOf(topology: Topology): Topology {
  return {
    ...topology,
    hosts: [],
    networks: [],
    gateways: [],
    subnets: [],
    rules: [],
    policies: [],
    peers: [],
    trunks: [],
    encryption: [],
    programs: [],
  };
}
