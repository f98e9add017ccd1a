import type { FirewallRule } from "../firewall/rule";
import type { PlannedHost, Problem, Site } from "../hosts/host";
import type { EncryptionChannel } from "../network/encryption";

/** What the plan tells an underlay of the cluster. */
export interface UnderlayContext {
  /** Where hosts reach each other by private address. */
  readonly sites: readonly Site[];
  /** All hosts of the cluster. */
  readonly hosts: readonly PlannedHost[];
}

/** An encrypted mesh of all hosts, each with an address of its own in it. */
export interface Tunnel {
  /** Name of the network interface on each host. */
  readonly interface: string;
  /** UDP port. */
  readonly port: number;
  /** Seconds between packets that keep a translation open. */
  readonly keepalive: number;
  /** Any change of it makes new keys. */
  readonly rotation: string;
}

/** What an underlay adds to the plan. */
export interface UnderlayPlan {
  /** Which one it is. */
  readonly kind: string;
  /** Whether all that goes between hosts is encrypted by it. */
  readonly encrypted: boolean;
  /** Bytes that it takes from every packet of the site's network. */
  readonly overhead: number;
  /** Largest packet that it carries, where the user says that the way is narrower than the sites. */
  readonly mtu?: number;
  /** What swarm traffic arrives on. */
  readonly over: "site" | "tunnel";
  /** The mesh of the hosts. @default - there is none */
  readonly tunnel?: Tunnel;
  /** What the hosts must let through for it. */
  readonly rules: readonly FirewallRule[];
  /** How it protects what it carries. */
  readonly encryption: EncryptionChannel;
  /** What is wrong with it on this cluster; paths are those of the cluster's arguments. */
  readonly problems: readonly Problem[];
}

/** What node-to-node traffic rides on. Made by `direct()` and its siblings; a new one is a new folder that exports such a function. */
export interface Underlay {
  /** Which one it is. */
  readonly kind: string;
  /** Works out what it adds to the plan of this cluster, and what is wrong with that. Touches nothing. */
  plan(context: UnderlayContext): UnderlayPlan;
}

/** Refuses what is not one of ours, as happens in a program without types. */
export function isUnderlay(value: unknown): value is Underlay {
  return typeof value === "object" && value !== null && typeof (value as Underlay).plan === "function";
}
