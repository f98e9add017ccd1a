import { flag, list, optional, options } from "../options";

/** How hosts join and leave the swarm. */
export interface MembershipArgs {
  /**
   * Seconds that a host may take to answer over SSH before it is given up for this run. The other hosts are done all the same.
   * @default 75 - a cloud machine's boot, and a dead host is reported within two minutes
   */
  readonly reachableSeconds?: number;
  /**
   * Seconds to wait until the tasks have moved away of a host that leaves, or whose machine is stopped to be changed.
   * @default 120
   */
  readonly drainSeconds?: number;
  /**
   * Id of a swarm that is lost for good and may be replaced by a new one. Without it, a cluster none of whose hosts is
   * in its swarm any more is refused rather than silently begun anew.
   * @default - never
   */
  readonly abandonedSwarm?: string;
  /**
   * Managers whose machines may be replaced in one `up` though the swarm loses its quorum by that, each by its key such as `control-1`. It is
   * for a swarm that may be lost. Without it, an edit that would replace more managers than the swarm can do without is refused at preview.
   * @default - none
   */
  readonly replaceManagers?: readonly string[];
  /**
   * Keys of hosts that were taken out of the program while they could not be reached, and are given up: their machines are no more.
   * Without it each run tries again to take off them what is still there. It matters only for machines of your own.
   * @default - none is given up
   */
  readonly forget?: readonly string[];
  /**
   * Any change of it makes the next `up` look at all hosts again, though nothing else in the program changed: after hosts
   * were rebooted or somebody worked on them by hand. A date does, or a number that is counted up. Nothing is replaced.
   * @default - hosts are looked at when something in the program changes
   */
  readonly recheck?: string;
}

/**
 * What the managers keep for the whole swarm. Each is done once: what was done is written into the swarm's own labels, so
 * that neither a run that was cut off nor a resource that was replaced does it again.
 */
export interface SwarmOptions {
  /**
   * Whether the managers' keys and Raft log are locked on disk: an engine that restarts then stays out of the swarm until
   * it is given the unlock key. The key is kept as a secret in Pulumi's state, and `up` unlocks with it whatever it finds
   * locked; after a reboot, change `membership.recheck` for that. A manager that is not unlocked has no vote.
   * It is turned on by a run in which every host succeeded, as only such a run can keep the key.
   * @default - left as it is; Docker's own is off
   */
  readonly autolock?: boolean;
  /**
   * Any change of it makes another unlock key; needs `autolock: true`. The keys before it are kept too, for a manager that was away
   * meanwhile and still needs its old one. Taking it out, or back to the value before, rotates nothing.
   * @default - never
   */
  readonly rotateUnlockKey?: string;
  /**
   * How long a node's certificate holds, in hours: `"720h"`. Nodes renew theirs by themselves well before; the new time
   * counts from each one's next renewal, or at once together with a change of `rotateCa`.
   * From 1 hour to the 20 years for which Docker's root certificate holds.
   * @default - left as it is; Docker's own is "2160h", 90 days
   */
  readonly certificateExpiry?: string;
  /**
   * Any change of it makes another root CA: all nodes get new certificates, and join tokens change. Refused while any
   * node is down, for Docker then waits for that node without end. Seconds for a few hosts. Services are not disturbed.
   * @default - never
   */
  readonly rotateCa?: string;
  /**
   * Any change of it makes other join tokens: those that somebody may have seen are then worth nothing. Who is in the swarm stays.
   * @default - never
   */
  readonly rotateJoinTokens?: string;
  /**
   * Whether join tokens die after each run in which a host joined. This package never lets one out of its own memory; say
   * `false` if you hand tokens to machines outside of this program.
   * @default true - one call more in such a run
   */
  readonly rotateJoinTokensAfterJoin?: boolean;
}

export const membershipOptions = options<MembershipArgs>(
  { of: "membership", thing: "how hosts join and leave", example: "{ drainSeconds: 60 }" },
  { reachableSeconds: optional, drainSeconds: optional, abandonedSwarm: optional, replaceManagers: optional, forget: list, recheck: optional },
);

export const swarmOptions = options<SwarmOptions>(
  { of: "swarm", thing: "what managers keep for the swarm", example: "{ autolock: true }" },
  {
    autolock: flag,
    rotateUnlockKey: optional,
    certificateExpiry: optional,
    rotateCa: optional,
    rotateJoinTokens: optional,
    rotateJoinTokensAfterJoin: flag,
  },
);
