import type { HostNeeds } from "../engine/needs";
import type { FirewallRule } from "../firewall/rule";
import type { PlannedHost, Problem } from "../hosts/host";
import type { EncryptionChannel } from "../network/encryption";
import type { HostProgram } from "../programs/program";
import type { UnderlayPlan } from "../underlay/underlay";

/** The overlays there are. A new one is its folder, and its line in `agents.ts`, which the compiler asks for. */
export type OverlayKind = "native" | "weave" | "flannel";

/** What the plan needs to know to accept an overlay. */
export interface OverlayContext {
  /** Keys of all sites. */
  readonly sites: readonly string[];
  /** The network of each site, in CIDR form, where it is known. @default - none is */
  readonly networks?: Readonly<Record<string, string>>;
  /** All hosts of the cluster. */
  readonly hosts: readonly PlannedHost[];
  /** What it rides on. */
  readonly underlay: UnderlayPlan;
  /**
   * Sites with a host that other sites do not see under an address of its own interface: behind network address
   * translation, one-to-one as clouds do it included.
   */
  readonly behindNat: readonly string[];
  /** Version, or prefix of one, that the user pinned all engines to. @default - none pinned */
  readonly engineVersion?: string;
  /** Registry that stands in for those of the programs' own images. @default - none */
  readonly mirror?: string;
}

/** What a service on a swarm network is found by. */
export type Serving = "virtual address" | "DNS round robin" | "routed addresses";

/** How the cluster's networks lie in the address space. */
export type Placement =
  /** Each has a subnet of its own, the same on all hosts. */
  | {
      /** Docker's own way. */
      readonly kind: "subnets";
    }
  /** Each host has a subnet of its own, routed to it, and each network a slice of it: the same one on every host. */
  | {
      /** Routed. */
      readonly kind: "slices";
      /** Prefix length of a host's subnet. */
      readonly hostPrefix: number;
      /** How many hosts of a group have their subnets in one block. A power of two. */
      readonly hostsPerGroup: number;
      /** Prefix length of a network's slice where the network names none. */
      readonly slicePrefix: number;
      /** Slices beside those of the networks, by name: their prefix lengths. */
      readonly own: Readonly<Record<string, number>>;
    };

/** An overlay that routes: containers of other hosts come in as they are, not through what Docker made. */
export interface RoutedIn {
  /** The interface on which they arrive. @default - any: they come by the site's own network */
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
  /** How the cluster's networks lie in the address space. */
  readonly placement: Placement;
  /** What the hosts must let through for it. */
  readonly rules: readonly FirewallRule[];
  /** Where it routes: what the hosts must let through to containers. @default - nothing: Docker's own networks carry all */
  readonly routedIn?: RoutedIn;
  /** How containers' data is protected, and whatever else it keeps or sends. */
  readonly encryption: readonly EncryptionChannel[];
  /** What every host is probed for; its `dataPathPort` is also the one that the swarm is formed with. */
  readonly needs: HostNeeds;
  /** What runs on hosts for it, beside Docker. */
  readonly programs: readonly HostProgram[];
  /** What its agent is given beside the hosts: JSON, nothing secret in it. @default - nothing of it runs on hosts */
  readonly settings?: object;
  /** After how many days it has to be looked at again, though nothing else is asked for. @default - never */
  readonly revisitDays?: number;
  /** What services are found by. */
  readonly serves: Serving;
  /** What is wrong with it on this cluster; paths are those of the cluster's arguments. */
  readonly problems: readonly Problem[];
  /** What works, but is worth a thought. */
  readonly warnings: readonly string[];
}

/** An overlay that the user chose. Made by `native()` and its siblings; a new one is a new folder that exports such a function. */
export interface Overlay {
  /** Which one it is. */
  readonly kind: OverlayKind;
  /** Works out what it adds to the plan of this cluster, and what is wrong with that. Touches nothing. */
  plan(context: OverlayContext): OverlayPlan;
}

/** Refuses what is not one of ours, as happens in a program without types. */
export function isOverlay(value: unknown): value is Overlay {
  return typeof value === "object" && value !== null && typeof (value as Overlay).plan === "function";
}
