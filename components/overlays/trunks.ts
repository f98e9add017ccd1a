import type { PlannedHost } from "../hosts/host";
import type { Problem } from "../report";
import type { RangedNetwork } from "./ranges";

/** A network tied to a VLAN of the user's own switch, in the plan. */
export interface PlannedTrunk {
  /** As the program calls it. */
  readonly name: string;
  /** The network of the cluster in which machines on the VLAN take part. */
  readonly network: string;
  /** Its subnet, in CIDR form: a machine there has its prefix length. */
  readonly subnet: string;
  /** The addresses for machines there, in CIDR form, without the first and the last one. No host gives out one of them. */
  readonly addresses: string;
  /** Number of the VLAN on the user's switch. */
  readonly vlan: number;
  /** Key of the host that is connected to the switch. */
  readonly on: string;
  /** Its interface there. */
  readonly interface: string;
  /** Largest packet, in bytes: that of containers. */
  readonly mtu: number;
}

/** What trunks are planned among. */
export interface TrunksContext {
  /** All hosts of the cluster. */
  readonly hosts: readonly PlannedHost[];
  /** All groups of them. */
  readonly groups: readonly {
    /** Its name. */
    readonly key: string;
    /** What its hosts are in the swarm. */
    readonly role: PlannedHost["role"];
    /** Why the network of its hosts does not carry containers' addresses. @default - it does */
    readonly noContainerRoutes?: string;
  }[];
  /** Names of the cluster's networks as they were written: a wrong one has its own problem. */
  readonly networkNames: readonly string[];
  /** All networks of the cluster that have a place. */
  readonly networks: readonly RangedNetwork[];
  /** In which each host has a place, in CIDR form. */
  readonly places: string;
  /** The place in it of machines outside. @default - there is none left, which has its own problem */
  readonly outside?: string;
  /** Largest packet of a container, in bytes. */
  readonly mtu: number;
}

/** What an overlay plans for machines outside that take part in its networks. */
export interface TrunksPlan {
  /** All of them. */
  readonly trunks: readonly PlannedTrunk[];
  /** Beside those that the overlay has, for its agent. */
  readonly settings: object;
  /** What is wrong. Paths are those of the cluster's arguments. */
  readonly problems: readonly Problem[];
  /** What works but needs attention. */
  readonly warnings: readonly string[];
}

/** Plans the trunks, when all networks have their places. */
export type PlanTrunks = (context: TrunksContext) => TrunksPlan;
