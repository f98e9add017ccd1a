import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "ssh2";
import { type Connection, RemoteError, type RemoteLimits } from "./connection";
import { explain, HostKeyMismatch, Silence, targetOf } from "./dial";
import { CannotDial } from "./proxy";

/**
 * Tries again until the host answers or its time is over, in which waiting for a turn does not count. What is said at the end is what
 * the first try met: a host may shut out who tries too often, and the last try has too little time to meet anything but silence.
 */
export async function untilReached(
  host: string,
  connection: Connection,
  limits: RemoteLimits,
  onRetry: (reason: string) => void,
  attempt: (limits: (extra?: number) => RemoteLimits) => Promise<Client>,
): Promise<{ readonly client: Client; readonly took: number }> {
  let left = limits.reachable;
  let patience = limits.dial;
  const causes: string[] = [];
  for (let wait = 200; ; wait = Math.min(wait * 1.6, 3_000)) {
    let began = Date.now();
    let cutShort = false;
    try {
      const client = await attempt((extra = 0) => {
        began = Date.now();
        cutShort = left < patience + extra;
        return { ...limits, dial: Math.max(1_000, Math.min(patience + extra, left)) };
      });
      return { client, took: Date.now() - began };
    } catch (error) {
      if (error instanceof HostKeyMismatch) throw new RemoteError(host, error.message, { cause: error });
      if (error instanceof CannotDial) throw new RemoteError(host, `cannot be reached: ${error.message}.`);
      const reason = explain(error);
      if (!(error instanceof Silence)) causes.push(reason);
      else if (!cutShort) {
        // It may be slow rather than frozen, and would be broken off for ever at the same point. How long each try took says no more.
        if (patience === limits.dial) causes.push(reason);
        patience *= 1.5;
      }
      left -= Date.now() - began + wait;
      if (left <= 0) {
        const target = targetOf(connection);
        const seconds = Math.round(limits.reachable / 1000);
        throw new RemoteError(host, `cannot be reached over SSH at ${target} within ${seconds} s: ${firstAndLast(causes) ?? reason}.`);
      }
      onRetry(reason);
      await sleep(wait);
    }
  }
}

/** What was met later too: a machine that starts has no route, then no sshd. */
function firstAndLast(causes: readonly string[]): string | undefined {
  const [first, last] = [causes[0], causes.at(-1)];
  return first === last ? first : `${first}; later: ${last}`;
}
