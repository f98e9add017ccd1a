import type { BridgePlan } from "../engine/bridges";
import type { HostNeeds } from "../engine/needs";
import type { FirewallRule } from "../firewall/rule";
import type { PlannedHost, Site } from "../hosts/host";
import type { Problem } from "../report";
import type { EncryptionChannel } from "../addresses/encryption";
import type { PlannedSubnet } from "../addresses/subnets";
import type { PlannedGateway } from "../gateways/gateway";
import type { NetworkPolicy } from "../network-policy/policy";
import type { PlannedNetwork } from "../networks/network";
import type { OverlayKind } from "../overlays/overlay";
import type { PlannedPeer } from "../overlays/peers";
import type { PlannedTrunk } from "../overlays/trunks";
import type { HostProgram } from "../programs/program";
import type { Tunnel } from "../underlay/underlay";
import type { OverlayOnHosts } from "./on-hosts";
import type { Quorum } from "./rules";

/** Everything that is decided before anything changes. Plain data. */
export interface ClusterPlan {
  /** The space for every subnet of the cluster, in CIDR form. */
  readonly addressSpace: string;
  /** The space from which Docker takes subnets for networks that you make by hand. */
  readonly dockerPool: string;
  /** Where hosts reach each other at private addresses. */
  readonly sites: readonly Site[];
  /** All hosts of all groups. */
  readonly hosts: readonly PlannedHost[];
  /** The cluster's own networks for services. */
  readonly networks: readonly PlannedNetwork[];
  /** What is allowed between networks, and to them from outside. All else is dropped. */
  readonly policies: readonly NetworkPolicy[];
  /** Routers outside the cluster, to which hosts announce containers. */
  readonly peers: readonly PlannedPeer[];
  /** VLANs of the user's own switches, whose machines take part in networks. */
  readonly trunks: readonly PlannedTrunk[];
  /** What containers reach outside the swarm, by name. */
  readonly gateways: readonly PlannedGateway[];
  /** How many managers there are, and how many may fail. */
  readonly quorum: Quorum;
  /** What carries traffic between containers on different hosts. */
  readonly overlay: OverlayKind;
  /** What carries traffic between hosts: `direct` or `wireguard`. */
  readonly underlay: string;
  /** Largest packet between two hosts over the underlay, in bytes. */
  readonly underlayMtu: number;
  /** Largest packet of containers on the cluster's networks, in bytes. */
  readonly mtu: number;
  /** Docker's own bridges on every host. */
  readonly bridges: BridgePlan;
  /** What the overlay requires of every host's kernel and engine. */
  readonly needs: HostNeeds;
  /** What runs on hosts beside Docker. */
  readonly programs: readonly HostProgram[];
  /** What the overlay's own agent does on the hosts, if anything. */
  readonly onHosts?: OverlayOnHosts;
  /** Number of days after which an `up` checks the overlay again, although the program has not changed. @default - never */
  readonly revisitDays?: number;
  /** The encrypted mesh of the hosts, if there is one. */
  readonly tunnel?: Tunnel & {
    /** Out of which each host has its address in it, in CIDR form. */
    readonly subnet: string;
  };
  /** Every part of the address space that has an owner. */
  readonly subnets: readonly PlannedSubnet[];
  /** All allowed traffic. All other traffic is dropped. */
  readonly firewall: readonly FirewallRule[];
  /** Who drops other traffic: each host, or your own firewall. */
  readonly enforced: "hosts" | "none";
  /** Each channel that carries or stores data, and what protects it there. */
  readonly encryption: readonly EncryptionChannel[];
  /** What is allowed but needs attention. */
  readonly warnings: readonly string[];
}

/** The result of a cluster's arguments. */
export interface Planned {
  /** What would be made. */
  readonly plan: ClusterPlan;
  /** All of them, never just the first. A plan with problems must not be used. */
  readonly problems: readonly Problem[];
}
