import type { FirewallRule } from "../firewall/rule";
import type { PlannedHost, Site } from "../hosts/host";
import type { Problem } from "../report";
import type { EncryptionChannel } from "../addresses/encryption";

/** What an underlay needs to know about the cluster. */
export interface UnderlayContext {
  /** Where hosts reach each other at private addresses. */
  readonly sites: readonly Site[];
  /** All hosts of the cluster. */
  readonly hosts: readonly PlannedHost[];
}

/** An encrypted mesh of all hosts. Each host has an address in it. */
export interface Tunnel {
  /** Name of the network interface on each host. */
  readonly interface: string;
  /** UDP port. */
  readonly port: number;
  /** Seconds between packets that keep an address translation open. */
  readonly keepalive: number;
  /** Any change makes new keys. */
  readonly rotation: string;
}

/** What an underlay adds to the plan. */
export interface UnderlayPlan {
  /** Which one it is. */
  readonly kind: string;
  /** Whether it encrypts all traffic between hosts. */
  readonly encrypted: boolean;
  /** Bytes that it takes from every packet of the site's network. */
  readonly overhead: number;
  /** Largest packet that it carries, if the user says that the path is narrower than the sites. */
  readonly mtu?: number;
  /** Where swarm traffic arrives. */
  readonly over: "site" | "tunnel";
  /** The mesh of the hosts. @default - there is none */
  readonly tunnel?: Tunnel;
  /** What the hosts must allow for it. */
  readonly rules: readonly FirewallRule[];
  /** How it protects what it carries. */
  readonly encryption: EncryptionChannel;
  /** Problems with it on this cluster. Paths are those of the cluster's arguments. */
  readonly problems: readonly Problem[];
}

/**
 * What carries traffic between nodes. Made by `direct()` and its siblings. A new underlay is a new folder that exports such a
 * function.
 */
export interface Underlay {
  /** Which one it is. */
  readonly kind: string;
  /** Computes its part of this cluster's plan, and its problems. Touches nothing. */
  plan(context: UnderlayContext): UnderlayPlan;
}

/** Refuses what is not one of ours, as happens in a program without types. */
export function isUnderlay(value: unknown): value is Underlay {
  return typeof value === "object" && value !== null && typeof (value as Underlay).plan === "function";
}
