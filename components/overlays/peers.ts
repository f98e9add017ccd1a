import type { PlannedSubnet } from "../addresses/subnets";
import type { FirewallRule, HostSelector } from "../firewall/rule";
import type { PlannedHost, Site } from "../hosts/host";
import type { Problem } from "../report";
import type { NetworkSlice } from "./docker-network";

/** A router outside the cluster to which hosts announce containers, in the plan. */
export interface PlannedPeer {
  /** As the program calls it. */
  readonly name: string;
  /** By which hosts reach it: an IPv4 address. */
  readonly address: string;
  /** Number of its autonomous system. */
  readonly as: number;
  /** Number of the cluster's. */
  readonly clusterAs: number;
  /** Hosts that have a session with it. Each announces its own containers, and no other host's. */
  readonly on: HostSelector;
  /** What each of these hosts tells it, by network, or "all networks": where that lies in a host's subnet. Empty for nothing. */
  readonly announces: Readonly<Record<string, string>>;
  /** Networks in CIDR form to which hosts take a way from it. `0.0.0.0/0` is a default route and no other, any other one holds for its parts too. */
  readonly accepts: readonly string[];
  /** What proves that packets of the session come from the other end. */
  readonly signedBy: "TCP MD5" | "nothing";
  /** Whether both ends notice by BFD that the other one is silent. */
  readonly bfd: boolean;
}

/** What routers are planned among. */
export interface PeersContext {
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
  /** Where hosts reach each other at private addresses. */
  readonly sites: readonly Site[];
  /** Names of the cluster's networks as they were written: a wrong one has its own problem. */
  readonly networkNames: readonly string[];
  /** Each network's part of a host's subnet, relative to it: `0.0.0.64/26`. */
  readonly slices: readonly NetworkSlice[];
  /** The space for every subnet of the cluster, in CIDR form. */
  readonly addressSpace: string;
  /** Out of which hosts' subnets are cut, in CIDR form. */
  readonly containers: string;
  /** Every part of the address space that has an owner. */
  readonly subnets: readonly Pick<PlannedSubnet, "owner" | "cidr">[];
}

/** What an overlay plans for routers outside the cluster. */
export interface PeersPlan {
  /** All of them. */
  readonly peers: readonly PlannedPeer[];
  /** What the hosts must allow for them. */
  readonly rules: readonly FirewallRule[];
  /** Beside those that the overlay has, for its agent: JSON without secrets. */
  readonly settings: object;
  /** What is wrong. Paths are those of the cluster's arguments. */
  readonly problems: readonly Problem[];
  /** What works but needs attention. */
  readonly warnings: readonly string[];
}

/** Plans the sessions with routers outside the cluster, when all subnets have their places. */
export type PlanPeers = (context: PeersContext) => PeersPlan;
