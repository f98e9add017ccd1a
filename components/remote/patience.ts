import type { SshSession } from "./ssh";

/** A host by a session that tells how slow it is, where it is a real one. */
interface Paced {
  readonly session: Partial<Pick<SshSession, "slowest">>;
}

/** Seconds. No host is waited for any longer, however slow it was. */
const most = 120;
/** Of what a host was seen to take at most for an answer. */
const times = 10;

/**
 * Seconds in which hosts must meet. What they send waits for a processor as all else there does: of sixty hosts with userspace tunnels on two
 * processors, four did not meet all others in 20 s, and in a minute all had (seen).
 *
 * @param usual For hosts that answer within a second or two.
 */
export function timeToMeet(usual: number, hosts: readonly Paced[]): number {
  const slowest = Math.max(0, ...hosts.map(({ session }) => session.slowest ?? 0));
  return Math.max(usual, Math.min(most, Math.ceil((times * slowest) / 1000)));
}
