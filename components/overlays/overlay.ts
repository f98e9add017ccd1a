import type * as pulumi from "@pulumi/pulumi";
import type { HostNeeds } from "../engine/needs";
import type { FirewallRule } from "../firewall/rule";
import type { PlannedHost } from "../hosts/host";
import type { Problem } from "../report";
import type { EncryptionChannel } from "../addresses/encryption";
import type { HostProgram } from "../programs/program";
import type { UnderlayPlan } from "../underlay/underlay";
import type { PlanPeers } from "./peers";
import type { PlanTrunks } from "./trunks";

/** The available overlays. A new one is a folder, and a line in `agents.ts`, which the compiler requires. */
export type OverlayKind = "native" | "weave" | "flannel" | "calico" | "openvswitch";

/** What the plan needs to know to accept an overlay. */
export interface OverlayContext {
  /** Keys of all sites. */
  readonly sites: readonly string[];
  /** The network of each site, in CIDR form, where it is known. @default - none is */
  readonly networks?: Readonly<Record<string, string>>;
  /** All hosts of the cluster. */
  readonly hosts: readonly PlannedHost[];
  /** The underlay below it. */
  readonly underlay: UnderlayPlan;
  /**
   * Sites with a host that other sites do not see under its own interface's address: behind network address translation,
   * including one-to-one translation in clouds.
   */
  readonly behindNat: readonly string[];
  /** Version, or prefix of one, that the user requires for all engines. @default - none */
  readonly engineVersion?: string;
  /** Registry that replaces the registries of the programs' own images. @default - none */
  readonly mirror?: string;
}

/** How clients find a service on a swarm network. */
export type Serving = "virtual address" | "DNS round robin" | "routed addresses";

/** How the cluster's networks are placed in the address space. */
export type Placement =
  /** Each has its own subnet, the same on all hosts. */
  | {
      /** Docker's own way. */
      readonly kind: "subnets";
    }
  /** Each host has its own subnet, with a route to it, and each network has the same slice of it on every host. */
  | {
      /** Routed. */
      readonly kind: "slices";
      /** Prefix length of a host's subnet. */
      readonly hostPrefix: number;
      /** How many hosts of a group have their subnets in one block. A power of two. */
      readonly hostsPerGroup: number;
      /** Prefix length of a network's slice if the network sets none. */
      readonly slicePrefix: number;
      /** Other slices than those of the networks, by name: their prefix lengths. */
      readonly own: Readonly<Record<string, number>>;
      /** Name of a Docker network of its own that each host has. @default - none */
      readonly bridge?: string;
    }
  /** Each network has its own subnet, the same on all hosts, and each host gives its containers addresses from its own range of it. */
  | {
      /** One switch for all hosts. */
      readonly kind: "ranges";
      /** For how many hosts a network has ranges. A power of two. */
      readonly places: number;
      /** How many hosts of a group have their places in one block. A power of two. */
      readonly hostsPerGroup: number;
      /** Prefix length of a host's range of a network if the network sets no prefix. */
      readonly rangePrefix: number;
      /** Whether one place is kept for machines that are no hosts. @default false */
      readonly outside?: boolean;
    };

/** An overlay that routes: packets for containers arrive from other hosts unchanged, not through Docker's own interfaces. */
export interface RoutedIn {
  /** The interface on which they arrive. @default - any: they arrive on the site's own network */
  readonly interface?: string;
}

/** What an overlay adds to the plan. Plain data. */
export interface OverlayPlan {
  /** Which one it is. */
  readonly kind: OverlayKind;
  /** Docker network driver of the cluster's networks. */
  readonly driver: string;
  /** Largest packet of a container, in bytes, on an underlay with this MTU. */
  readonly containerMtu: (underlayMtu: number) => number;
  /** Options of every network made on it. */
  readonly networkOptions: (underlayMtu: number) => Readonly<Record<string, string>>;
  /** How the cluster's networks are placed in the address space. */
  readonly placement: Placement;
  /** What the hosts must allow for it. */
  readonly rules: readonly FirewallRule[];
  /** If it routes: what the hosts must allow to containers. @default - nothing: Docker's own networks carry everything */
  readonly routedIn?: RoutedIn;
  /** How containers' data is protected, and everything else that it stores or sends. */
  readonly encryption: readonly EncryptionChannel[];
  /** What every host is checked for. The swarm is also created with its `dataPathPort`. */
  readonly needs: HostNeeds;
  /** Its programs on hosts, beside Docker. */
  readonly programs: readonly HostProgram[];
  /** Settings for its agent, in addition to the hosts: JSON without secrets. @default - it has no program on hosts */
  readonly settings?: object;
  /** Number of days after which it must be checked again, even if nothing else is requested. @default - never */
  readonly revisitDays?: number;
  /** How clients find services. */
  readonly serves: Serving;
  /** Why one network cannot be opened to another by a policy. @default - it can */
  readonly noPolicies?: string;
  /** Plans the sessions with routers outside the cluster. @default - it has none */
  readonly peers?: PlanPeers;
  /** Plans the VLANs outside whose machines take part in networks. @default - it has none */
  readonly trunks?: PlanTrunks;
  /** Problems with it on this cluster. Paths are those of the cluster's arguments. */
  readonly problems: readonly Problem[];
  /** What works but needs attention. */
  readonly warnings: readonly string[];
}

/**
 * The overlay that the user chose. Made by `native()` and its siblings. A new overlay is a new folder that exports such a
 * function.
 */
export interface Overlay {
  /** Which one it is. */
  readonly kind: OverlayKind;
  /** Computes its part of this cluster's plan, and its problems. Touches nothing. */
  plan(context: OverlayContext): OverlayPlan;
  /** What its agent needs and no plan may hold. @default - nothing */
  readonly secrets?: OverlaySecrets;
}

/** Secrets of the user's for an overlay's agent, by what that calls them. */
export interface OverlaySecrets {
  /** They may be known only when resources are made. */
  readonly values: Readonly<Record<string, pulumi.Input<string>>>;
  /** What is wrong with one, without any of it. */
  problem(name: string, value: string): Problem | undefined;
}

/** Refuses what is not one of ours, as happens in a program without types. */
export function isOverlay(value: unknown): value is Overlay {
  return typeof value === "object" && value !== null && typeof (value as Overlay).plan === "function";
}
