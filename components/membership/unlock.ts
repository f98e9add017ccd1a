import { localOrNothing, messageOf } from "./control";
import type { SwarmApi } from "./swarm-api";
import type { MembershipIo } from "./types";

export interface Locked {
  readonly key: string;
  readonly api: SwarmApi;
}

/**
 * Unlocks managers whose engine was restarted, all at once: each is only back when a majority is.
 *
 * @param unlockKeys Tried in this order: a manager that was away when the key was changed still needs the one before.
 * @returns why a host is still locked, by its key.
 */
export async function unlockAll(
  locked: readonly Locked[],
  unlockKeys: readonly string[],
  io: Pick<MembershipIo, "progress">,
): Promise<ReadonlyMap<string, string>> {
  const tries = locked.map(async (host): Promise<readonly [string, string] | undefined> => {
    const problem = await unlock(host, unlockKeys, io);
    return problem === undefined ? undefined : [host.key, problem];
  });
  return new Map((await Promise.all(tries)).filter((result) => result !== undefined));
}

const byHand = 'run "docker swarm unlock" there with the unlock key ("docker swarm unlock-key" on another manager shows it), then run again';

async function unlock({ key, api }: Locked, unlockKeys: readonly string[], io: Pick<MembershipIo, "progress">): Promise<string | undefined> {
  if (unlockKeys.length === 0) return `is locked, and no unlock key is remembered: ${byHand}`;
  io.progress(key, "is locked: unlocks it");
  let said = "";
  for (const unlockKey of unlockKeys) {
    // It may be open though the answer was lost, or was too long in coming while a majority was not there yet.
    const problem = await api.unlock(unlockKey).then(() => undefined, messageOf);
    const state = (await localOrNothing(api))?.state;
    if (problem === undefined || (state !== undefined && state !== "locked")) return undefined;
    said = problem;
    if (!/invalid key/.test(problem)) break;
  }
  if (!/invalid key/.test(said)) return `is locked and could not be unlocked: ${said}; run again, or ${byHand}`;
  return `is locked, and none of the ${unlockKeys.length} unlock keys that are remembered opens it: ${byHand}`;
}
