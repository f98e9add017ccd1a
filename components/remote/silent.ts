import type { ScriptValues } from "./script";

/** In seconds: nobody is listened to for any longer, however busy a host is. */
const most = 120;

/** Whether a look took so much longer than it was to take that its host must be short of processors: all else there waits as long. */
function isHeldUp(took: number, seconds: number): boolean {
  return took > 1000 * (1.25 * seconds + 1);
}

export interface Silence<Peer> {
  readonly peers: readonly Peer[];
  /** For how long each of them was listened to. */
  readonly seconds: number;
}

/**
 * Asks a host which of its peers give no answer. A busy host is asked once more of those that are left, for as long as some of them do answer:
 * of sixty hosts with userspace tunnels on two processors, four had not met all others in 20 s (seen).
 *
 * @param seconds for which a host listens
 * @param ask who of them gave no answer
 */
export async function stillSilent<Peer>(
  peers: readonly Peer[],
  seconds: number,
  ask: (peers: readonly Peer[]) => Promise<readonly Peer[]>,
  now: () => number = Date.now,
): Promise<Silence<Peer>> {
  let [left, listened] = [peers, 0];
  while (left.length > 0) {
    const [before, began] = [left.length, now()];
    left = await ask(left);
    listened += seconds;
    if (left.length === before || listened + seconds > most || !isHeldUp(now() - began, seconds)) break;
  }
  return { peers: left, seconds: listened };
}

/** What scripts take and answer that ping by address. */
export interface PingValues extends ScriptValues {
  readonly ADDRESSES: string;
  /** Seconds. */
  readonly WAIT: string;
}

/** {@link stillSilent} of peers that a host pings, by a script that answers with the silent ones' addresses. */
export function stillSilentTo<Peer>(
  peers: readonly Peer[],
  addressOf: (peer: Peer) => string,
  seconds: number,
  ping: (values: PingValues) => Promise<{ readonly silent: readonly string[] }>,
): Promise<Silence<Peer>> {
  return stillSilent(peers, seconds, async (some) => {
    const { silent } = await ping({ ADDRESSES: some.map(addressOf).join(" "), WAIT: String(seconds) });
    return some.filter((peer) => silent.includes(addressOf(peer)));
  });
}
