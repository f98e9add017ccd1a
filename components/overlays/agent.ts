import type { FirewallHost } from "../firewall/rule";
import type { NetworkSlice } from "./docker-network";
import type { NetworkRanges } from "./ranges";
import type { PoliciesOnHosts } from "../network-policy/compile";
import type { HostProgram } from "../programs/program";
import type { Failure } from "../remote/each";
import type { SshSession } from "../remote/ssh";

/** A host as an overlay sees it, when all addresses are known. */
export interface OverlayHost extends FirewallHost {
  /** The subnet of its containers, in CIDR form, where the overlay gives each host one; or its place, by which it has ranges of networks. */
  readonly containerSubnet?: string;
  /** How to work on it. Undefined where it cannot be reached now: it stays a peer all the same. */
  readonly session?: Pick<SshSession, "script">;
  /** Version of its engine, such as `26.1.5+dfsg1`; empty where it cannot be reached. */
  readonly engine: string;
}

export interface OverlayIo {
  /** @param host undefined where it is about all hosts */
  progress(host: string | undefined, line: string): void;
}

/** What an overlay's agent works with in one run. */
export interface OverlayWork<Settings extends object = object> {
  readonly settings: Settings;
  readonly programs: readonly HostProgram[];
  /** Everything that should be there: also hosts that cannot be reached now. In a stable order. */
  readonly hosts: readonly OverlayHost[];
  /** Hosts that were asked for last time and are not any more. They are members until they have left the swarm. */
  readonly departing: readonly OverlayHost[];
  /** Out of which hosts' subnets are cut, in CIDR form, where the overlay gives each host one; or networks of which each has a range. */
  readonly space: string;
  /** The cluster's slices, where the overlay makes them, and the overlay's own. */
  readonly slices: readonly NetworkSlice[];
  /** What is let through between networks. @default - nothing */
  readonly policy?: PoliciesOnHosts;
  /** Networks of which each host has a range, where the overlay makes them so. */
  readonly ranges?: NetworkRanges;
  /** By which hosts talk, where there is an encrypted tunnel. @default - none: on the site's own network */
  readonly tunnelInterface?: string;
  /** Largest packet between two hosts, and of a container, in bytes. */
  readonly underlayMtu: number;
  readonly mtu: number;
  /**
   * 256 random bits in base64url, the cluster's own, that never change: what must be secret is derived from them. They are in
   * Pulumi's state before any host is touched, so that no interrupted run can lose them.
   */
  readonly secret: string;
  /** The user's own secrets, by what the overlay calls them. @default - none */
  readonly passwords?: Readonly<Record<string, string>>;
  readonly io: OverlayIo;
}

/**
 * An overlay's part of `swarm-up` and `swarm-down`. Everything here may be run again at any time, also after a run that was cut off.
 * What fails on one host is a failure of that host, named in what is returned; the others go on. A thrown error is about all.
 */
export interface OverlayAgent<Settings extends object = object> {
  /**
   * Brings the overlay up on all hosts that can be reached. It comes after firewall and tunnel, and before hosts join the swarm, so
   * that no task ever starts on a host without it.
   */
  up(work: OverlayWork<Settings>): Promise<readonly Failure[]>;
  /** After `departing` have left the swarm: the others forget them, and it is taken off those of them that can be reached. */
  depart(work: OverlayWork<Settings>): Promise<readonly Failure[]>;
  /**
   * Takes all of it off these hosts: after a destroy, or when another overlay was chosen. Knows nothing but the hosts. Networks of
   * containers on it are gone by then.
   */
  down(hosts: readonly Pick<Required<OverlayHost>, "key" | "session">[], io: OverlayIo): Promise<readonly Failure[]>;
}
