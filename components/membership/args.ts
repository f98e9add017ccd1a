/** How hosts join and leave the swarm. */
export interface MembershipArgs {
  /**
   * Seconds that a host may take to answer over SSH before it is given up for this run. The other hosts are done all the same.
   * @default 75 - a cloud machine's boot, and a dead host is reported within two minutes
   */
  readonly reachableSeconds?: number;
  /**
   * Seconds to wait until the tasks of a host that leaves have moved away.
   * @default 120
   */
  readonly drainSeconds?: number;
  /**
   * Id of a swarm that is lost for good and may be replaced by a new one. Without it, a cluster none of whose hosts is
   * in its swarm any more is refused rather than silently begun anew.
   * @default - never
   */
  readonly abandonedSwarm?: string;
}
