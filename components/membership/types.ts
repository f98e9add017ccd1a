import type { SwarmAddresses, SwarmApi, SwarmInit, SwarmRole } from "./swarm-api";

export interface DesiredMember extends SwarmAddresses {
  readonly key: string;
  readonly role: SwarmRole;
  /** Node labels. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface DesiredSwarm {
  readonly members: readonly DesiredMember[];
  readonly init?: Omit<SwarmInit, keyof SwarmAddresses>;
  /** Id of a swarm that is lost and may be replaced by a new one. */
  readonly abandonedSwarm?: string;
}

/** A desired host: reached and fit, or why not. */
export type HostAccess =
  | { readonly kind: "ready"; readonly key: string; readonly api: SwarmApi }
  | { readonly kind: "failed"; readonly key: string; readonly reason: string };

/** What the last run ended with. */
export interface MembershipMemory {
  readonly swarmId: string;
  /** Node id by host key. */
  readonly nodes: Readonly<Record<string, string>>;
}

export interface MembershipIo {
  progress(host: string | undefined, line: string): void;
  sleep(milliseconds: number): Promise<void>;
  now(): number;
  /** Hosts no longer desired that still answer. */
  readonly departing?: ReadonlyMap<string, SwarmApi>;
}

export interface HostFailure {
  readonly host: string;
  readonly reason: string;
}

export interface MembershipResult extends MembershipMemory {
  readonly failures: readonly HostFailure[];
}

/** How long each thing may take before it is given up, in milliseconds. The defaults come from what was measured on Docker 26. */
export interface MembershipLimits {
  /**
   * For a leader to be there. An election takes 11 s, and Docker lets a call wait 20 s for it.
   * @default 45000
   */
  readonly leader: number;
  /**
   * For a member that is just starting, or whose role is just changing, to be what the managers say it is.
   * @default 30000
   */
  readonly settle: number;
  /**
   * For a node that joined to be ready.
   * @default 60000
   */
  readonly ready: number;
  /**
   * Between leaving a swarm and joining one. At once, the new membership can find port 7946 still taken: the node is
   * then ready, but its overlay networks reach nobody.
   * @default 5000
   */
  readonly release: number;
  /**
   * For the tasks of a drained node to be gone.
   * @default 120000
   */
  readonly drain: number;
  /**
   * For a node that left to be seen as down: 2 s for a worker, more than 10 s for one that was a manager.
   * @default 40000
   */
  readonly down: number;
  /**
   * For a change of role to have arrived on the host itself and on all managers.
   * @default 45000
   */
  readonly role: number;
}

export const defaultLimits: MembershipLimits = {
  leader: 45_000,
  settle: 30_000,
  ready: 60_000,
  release: 5_000,
  drain: 120_000,
  down: 40_000,
  role: 45_000,
};

/** Says what is wrong and what to do about it. Thrown before anything is changed. */
export class MembershipRefusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MembershipRefusal";
  }
}

/** Whose host a node is; survives a run whose result was lost. */
export const hostLabel = "pulumi-swarm.host";
/** Set together with a drain of ours, so that a host taken back is not left drained. */
export const leavingLabel = "pulumi-swarm.leaving";
/** Which other labels came from the program, so that one taken out of it can be taken off the node. */
export const managedLabel = "pulumi-swarm.labels";
