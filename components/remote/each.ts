import { pLimit } from "./limit";

/** What went wrong on one host. The others go on. */
export interface Failure {
  readonly host: string;
  readonly reason: string;
}

/** Enough to hide the hosts' latency, few enough for the operator's own file and process limits. */
export const mostAtOnce = 64;

/** Does the same on all hosts at once. What fails on one is a failure of that one; the others go on. */
export async function onEach<Item extends { readonly key: string }, Result>(
  items: readonly Item[],
  failures: Failure[],
  work: (item: Item) => Promise<Result>,
): Promise<Map<string, Result>> {
  const limit = pLimit(mostAtOnce);
  const results = new Map<string, Result>();
  await Promise.all(
    items.map((item) =>
      limit(async () => {
        try {
          results.set(item.key, await work(item));
        } catch (error) {
          failures.push({ host: item.key, reason: reasonOf(error) });
        }
      }),
    ),
  );
  return results;
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
