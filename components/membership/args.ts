import { flag, list, optional, options } from "../options";

/** How hosts join and leave the swarm. */
export interface MembershipArgs {
  /**
   * Seconds that a host may take to answer over SSH before this run gives up on it. The other hosts are finished anyway.
   * @default 75 - enough for a cloud machine's boot, and `up` reports a dead host within two minutes
   */
  readonly reachableSeconds?: number;
  /**
   * Seconds to wait until the tasks have moved away from a host that leaves, or whose machine is stopped for a change.
   * @default 120
   */
  readonly drainSeconds?: number;
  /**
   * Id of a swarm that is permanently lost and may be replaced by a new one. Without it, a cluster with no host left in its swarm
   * is refused instead of silently creating a new swarm.
   * @default - never
   */
  readonly abandonedSwarm?: string;
  /**
   * Continues a swarm that permanently lost most of its managers from one that is left, as Docker documents it with `--force-new-cluster`.
   * Its id, nodes, services, networks, secrets and configs stay. The error of `up` names the text for it: it holds for exactly the loss
   * that was seen, once, so it may stay in the program. Refused while most managers answer, over SSH or each other.
   * @default - never
   */
  readonly recover?: string;
  /**
   * Managers whose machines may be replaced in one `up` although the swarm loses its quorum, each by its key such as `control-1`.
   * Use it only for a swarm that may be lost. Without it, the preview refuses to replace more managers than the quorum allows, and
   * `up` refuses it if other managers are down.
   * @default - none
   */
  readonly replaceManagers?: readonly string[];
  /**
   * Keys of hosts that you removed from the program while they could not be reached, and whose machines no longer exist. Without
   * it, each run tries again to clean up these hosts. It matters only for your own machines.
   * @default - none
   */
  readonly forget?: readonly string[];
  /**
   * Any change makes the next `up` inspect all hosts again, even if nothing else in the program changed: after reboots or manual
   * changes on hosts. Use a date, or a number that you increase. Nothing is replaced.
   * @default - hosts are inspected when something in the program changes
   */
  readonly recheck?: string;
}

/**
 * What the managers keep for the whole swarm. Each action happens once. The swarm's own labels record it, so that neither an
 * interrupted run nor a replaced resource repeats it.
 */
export interface SwarmOptions {
  /**
   * Whether the managers' keys and Raft log are locked on disk. A restarted engine then stays out of the swarm until it gets the
   * unlock key. The key is kept as a secret in Pulumi's state, and `up` uses it to unlock every locked manager. After a reboot,
   * change `membership.recheck` for that. A locked manager has no vote. Only a run in which every host succeeds turns this on,
   * because only such a run can save the key.
   * @default - unchanged; Docker's own default is off
   */
  readonly autolock?: boolean;
  /**
   * Any change makes a new unlock key. Needs `autolock: true`. Earlier keys are kept too, for a manager that was down during the
   * change and still needs its old key. Removing the value, or returning to the previous one, rotates nothing.
   * @default - never
   */
  readonly rotateUnlockKey?: string;
  /**
   * How long a node's certificate is valid, in hours: `"720h"`. Nodes renew their certificates automatically well before they
   * expire. The new time applies from each node's next renewal, or at once together with a change of `rotateCa`. From 1 hour to
   * 20 years, the validity of Docker's root certificate.
   * @default - unchanged; Docker's own default is "2160h", 90 days
   */
  readonly certificateExpiry?: string;
  /**
   * Any change makes a new root CA: all nodes get new certificates, and join tokens change. Refused while any node is down,
   * because Docker would wait for that node forever. It takes seconds for a few hosts. Services are not interrupted.
   * @default - never
   */
  readonly rotateCa?: string;
  /**
   * Any change makes new join tokens. Tokens that somebody may have seen become invalid. Members of the swarm stay members.
   * @default - never
   */
  readonly rotateJoinTokens?: string;
  /**
   * Whether join tokens become invalid after each run in which a host joined. This package never exposes a token outside its own
   * memory. Set `false` if you give tokens to machines outside this program.
   * @default true - one more call in such a run
   */
  readonly rotateJoinTokensAfterJoin?: boolean;
}

export const membershipOptions = options<MembershipArgs>(
  { of: "membership", thing: "how hosts join and leave", example: "{ drainSeconds: 60 }" },
  {
    reachableSeconds: optional,
    drainSeconds: optional,
    abandonedSwarm: optional,
    recover: optional,
    replaceManagers: optional,
    forget: list,
    recheck: optional,
  },
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
