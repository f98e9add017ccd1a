import type { HostNeeds } from "../engine/needs";
import type { FirewallRule } from "../firewall/rule";
import type { Problem } from "../hosts/host";
import type { EncryptionChannel } from "../network/encryption";
import type { UnderlayPlan } from "../underlay/underlay";

/** What the plan needs to know to accept an overlay. */
export interface OverlayContext {
  readonly sites: readonly string[];
  readonly underlay: UnderlayPlan;
  /**
   * Sites with a host that other sites do not see under an address of its own interface: behind network address
   * translation, one-to-one as clouds do it included.
   */
  readonly behindNat: readonly string[];
  /** Version, or prefix of one, that the user pinned all engines to. @default - none pinned */
  readonly engineVersion?: string;
}

/** What a service on a swarm network is found by. */
export type Serving = "virtual address" | "DNS round robin" | "routed addresses";

/** What an overlay adds to the plan. */
export interface OverlayPlan {
  readonly kind: string;
  /** Docker network driver of the cluster's networks. */
  readonly driver: string;
  /** Largest packet of a container, in bytes, on an underlay with this MTU. */
  readonly containerMtu: (underlayMtu: number) => number;
  /** Options of every network made on it. */
  readonly networkOptions: (underlayMtu: number) => Readonly<Record<string, string>>;
  /** What the hosts must let through for it. */
  readonly rules: readonly FirewallRule[];
  /** How containers' data is protected. */
  readonly encryption: EncryptionChannel;
  /** What every host is probed for; its `dataPathPort` is also the one that the swarm is formed with. */
  readonly needs: HostNeeds;
  readonly serves: Serving;
  readonly problems: readonly Problem[];
  /** What works, but is worth a thought. */
  readonly warnings: readonly string[];
}

/** An overlay that the user chose. Made by `native()` and its siblings; a new one is a new folder that exports such a function. */
export interface Overlay {
  readonly kind: string;
  plan(context: OverlayContext): OverlayPlan;
}

/** Refuses what is not one of ours, as happens in a program without types. */
export function isOverlay(value: unknown): value is Overlay {
  return typeof value === "object" && value !== null && typeof (value as Overlay).plan === "function";
}
