import { randomUUID } from "node:crypto";
import type { Intent } from "./request";
import { runAgent } from "./run";

/**
 * Touches no host. A resource that only says what is about to be asked is there before the first change, so a destroy undoes what a
 * failed first run began; and it counts, so that the work is done again after an edit that failed was taken back.
 */
void runAgent((_request: object, previous: Intent | undefined): Promise<Intent> => {
  const { mark = randomUUID(), generation = 0 } = previous ?? {};
  return Promise.resolve({ mark, generation: generation + 1 });
});
