import "../node/this";
import { randomUUID } from "node:crypto";
import type { Intent, IntentRequest, Way } from "./request";
import { runAgent } from "./run";

/** What this prints comes back in an environment variable of at most 128 KiB. */
const [mostWays, mostBytes] = [12, 48_000];
const mostFirst = 50;

/**
 * Touches no host. A resource that only says what is about to be asked is there before the first change, so a destroy undoes what a
 * failed first run began; and it counts, so that the work is done again after an edit that failed was taken back.
 */
void runAgent(({ hosts, holders }: IntentRequest, previous: Intent | undefined): Promise<Intent> => {
  const { mark = randomUUID(), generation = 0, ways = [], firstManagers = [] } = previous ?? {};
  const present = hosts.filter(({ key }) => holders.includes(key)).map(({ key, connection }): Way => ({ key, connection }));
  const hasMoved = ({ connection }: Way): boolean => !present.some((way) => way.connection.host === connection.host);
  return Promise.resolve({
    mark,
    generation: generation + 1,
    ways: fitting([...present.slice(0, 5), ...ways.filter(hasMoved)]),
    firstManagers: [...new Set([...holders.slice(0, 1), ...firstManagers])].slice(0, mostFirst),
  });
});

/** The first ones that fit. */
function fitting(ways: readonly Way[]): readonly Way[] {
  let bytes = 0;
  return ways.slice(0, mostWays).filter((way) => (bytes += Buffer.byteLength(JSON.stringify(way))) <= mostBytes);
}
