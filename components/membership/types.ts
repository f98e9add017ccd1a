import type { WaitingIo } from "../waiting";
import type { SwarmOptions } from "./args";
import type { SwarmAddresses, SwarmApi, SwarmInit, SwarmRole } from "./swarm-api";

export interface DesiredMember extends SwarmAddresses {
  readonly key: string;
  readonly role: SwarmRole;
  /** Node labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether it is drained for as long as the program says so. @default false */
  readonly drained?: boolean;
}

/** Whose a swarm is. */
export interface SwarmOwner {
  /** Random, and the same for as long as the resource lives that has the swarm: see `ownerLabel`. */
  readonly mark: string;
  /** Project, stack and cluster, as a person reads them: `shop/prod/main`. */
  readonly stack: string;
}

export interface DesiredSwarm {
  readonly owner: SwarmOwner;
  readonly members: readonly DesiredMember[];
  readonly init?: Pick<SwarmInit, "dataPathPort" | "defaultAddressPool" | "subnetSize">;
  readonly options?: SwarmOptions;
  /** Id of a swarm that exists and is to be taken over, whoever has it. */
  readonly adopt?: string;
  /** Id of a swarm that is lost and may be replaced by a new one. */
  readonly abandonedSwarm?: string;
  /** The loss of a quorum after which the swarm may be formed anew from one of its managers: see `recoveryToken`. */
  readonly recover?: string;
  /** What is known beside the memory, which may lie where nobody answers. */
  readonly formerly?: FormerSwarm;
}

/** What keeps a run that remembers nothing from forming a second swarm. */
export interface FormerSwarm {
  /** Id of the swarm that the last run which succeeded has told. */
  readonly swarmId?: string;
  /** How often the swarm had been formed anew by then. */
  readonly recovered?: number;
  /** Hosts that were the first manager in this run or in an earlier one: a swarm is formed there. */
  readonly firstManagers: readonly string[];
  /** Hosts that may remember more, and why they cannot be asked. */
  readonly unasked: readonly HostFailure[];
}

/** A desired host: reached and fit, or why not. */
export type HostAccess =
  | { readonly kind: "ready"; readonly key: string; readonly api: SwarmApi }
  | {
      readonly kind: "failed";
      readonly key: string;
      readonly reason: string;
      /** The host answers, but its engine does not run yet, which this run is about to change. */
      readonly curable?: true;
    };

/** What the last run ended with. Holds a secret. */
export interface MembershipMemory {
  readonly swarmId: string;
  /** Node id by host key. */
  readonly nodes: Readonly<Record<string, string>>;
  /** Whose the swarm is: see `ownerLabel`. Undefined where nothing was marked yet. */
  readonly owner?: string;
  /** Id of the swarm, where it was taken over from somebody else. */
  readonly adopted?: string;
  /** Secret. What opens locked managers, the newest first; older ones for those that were away when it was changed. */
  readonly unlockKeys?: readonly string[];
  /** How often the swarm was formed anew from one of its managers: see `recoveredLabel`. @default 0 */
  readonly recovered?: number;
}

/** What a host that answers tells of a swarm that has no leader. */
export interface Examined {
  /** The last entry of its Raft log. Undefined on workers, and where its engine's journal does not say. */
  readonly log?: { readonly term: number; readonly index: number };
  /** Those of the managers' ports that were asked for, `address:port`, which answer this host. */
  readonly open: readonly string[];
  /** How many containers run yet, by service. */
  readonly running: Readonly<Record<string, number>>;
  /** Under which addresses it is a member, as it remembers them. */
  readonly addresses?: SwarmAddresses & Pick<SwarmInit, "dataPathPort">;
  /** Whether it would be locked if its engine started now. */
  readonly locked: boolean;
}

/** What becomes of a member. */
export type MemberDeed = "joined" | "left" | "is a manager now" | "is a worker now";

export interface MembershipIo extends WaitingIo {
  progress(host: string | undefined, line: string): void;
  sleep(milliseconds: number): Promise<void>;
  now(): number;
  /** Called when it has been done, to count it. */
  did?(host: string, deed: MemberDeed): void;
  /** Hosts no longer desired that still answer. */
  readonly departing?: ReadonlyMap<string, SwarmApi>;
  /** Restarts the engine of a host. Returns when it answers. */
  restart?(host: string): Promise<void>;
  /** Asks all hosts that answer, and through them which of these ports of managers do, `address:port`. Changes nothing. */
  examine?(managers: readonly string[]): Promise<ReadonlyMap<string, Examined>>;
  /**
   * Called when a new swarm was formed on this host, before any other joins. If it fails, that is a failure of this host.
   * After a run that was cut off just then it is not called again.
   */
  formed?(host: string): Promise<void>;
}

export interface HostFailure {
  readonly host: string;
  readonly reason: string;
}

export interface MembershipResult {
  readonly swarmId: string;
  /** Node id by host key. */
  readonly nodes: Readonly<Record<string, string>>;
  /** Keys of hosts that took part as managers when last seen, in the order of the program. */
  readonly managers: readonly string[];
  readonly failures: readonly HostFailure[];
  /** How often the swarm was formed anew from one of its managers. */
  readonly recovered: number;
}

/** How long each thing may take before it is given up, in milliseconds. The defaults come from what was measured on Docker 26. */
export interface MembershipLimits {
  /**
   * For a leader to be there. An election takes 11 s, and Docker lets a call wait 20 s for it.
   * @default 45000
   */
  readonly leader: number;
  /**
   * For a member that is just starting, that was cut off, or whose role is just changing, to be what the managers say it is. Docker
   * itself may take this long: 30 s until it starts a swarm node again that failed (moby, daemon/cluster/cluster.go, maxReconnectDelay),
   * 20 s for a connection that was being made when the network came back (grpc, minConnectTimeout), 10 s between two tries (swarmkit,
   * manager/state/raft/transport and agent/agent.go), 11 s for an election, and 15 s of heartbeats (manager/dispatcher).
   * @default 90000
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
   * For a change of role to have arrived on the host itself and on all managers.
   * @default 45000
   */
  readonly role: number;
  /**
   * For all nodes to have certificates of a new root CA: 4 s for 4 nodes, and 3 s for 2.
   * @default 120000
   */
  readonly caRotation: number;
}

export const defaultLimits: MembershipLimits = {
  leader: 45_000,
  settle: 90_000,
  ready: 60_000,
  release: 5_000,
  drain: 120_000,
  role: 45_000,
  caRotation: 120_000,
};

/** Says what is wrong and what to do about it. Thrown before anything is changed. */
export class MembershipRefusal extends Error {
  /** @param curable Whether it may not be so any more once engines run, and firewalls and tunnels are as the program says. */
  constructor(
    message: string,
    readonly curable = false,
  ) {
    super(message);
    this.name = "MembershipRefusal";
  }
}

/** Whose host a node is; survives a run whose result was lost. */
export const hostLabel = "pulumi-swarm.host";
/** Set together with a drain of ours, so that a host taken back is not left drained. */
export const leavingLabel = "pulumi-swarm.leaving";
/**
 * Set together with a drain of ours for as long as the machine is stopped, with the availability that the node had: a run that
 * was cut off meanwhile leaves no host drained for good.
 */
export const asideLabel = "pulumi-swarm.aside";
/** Set together with a drain by the program's word, with the availability that the node had. */
export const drainedLabel = "pulumi-swarm.drained";
/** Which other labels came from the program, so that one taken out of it can be taken off the node. */
export const managedLabel = "pulumi-swarm.labels";

/**
 * A label of the swarm itself: a random mark that the resource wrote which has the swarm now. Pulumi replaces a resource
 * by making the new one, which takes the living swarm over, and only then deleting the old one: the mark tells the old
 * one that the swarm is no longer its to dissolve.
 */
export const ownerLabel = "pulumi-swarm.owner";
/**
 * A label of the swarm itself, from its birth: project, stack and cluster that have it. It tells a person whose the swarm is, and a
 * run that remembers nothing whether the swarm that it finds is its own.
 */
export const stackLabel = "pulumi-swarm.stack";
/**
 * A label of the swarm itself: how often it was formed anew from one manager, after the majority was lost. Managers that were thought lost
 * have the swarm of before, with the same id and an older count. So nobody takes theirs for the swarm when they come back.
 */
export const recoveredLabel = "pulumi-swarm.recovered";
/** Labels of the swarm itself, with the value of the option that asked for the last rotation. */
export const rotatedLabels = {
  ca: "pulumi-swarm.rotated.ca",
  joinTokens: "pulumi-swarm.rotated.join-tokens",
  unlockKey: "pulumi-swarm.rotated.unlock-key",
} as const;
