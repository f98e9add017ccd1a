import { sleep } from "./run";

/** Milliseconds after which the next one is asked as well. One that lives has answered by then, and the others need not be dialled. */
const patience = 500;

/**
 * What the first one answers, asked one after the other, without waiting for those that are slow or dead.
 *
 * @throws AggregateError with the reason of each, when none answers.
 */
export async function firstAnswer<Item, Answer>(items: readonly Item[], ask: (item: Item) => Promise<Answer>): Promise<Answer> {
  const asked: Promise<Answer>[] = [];
  const answered = (answer: Promise<Answer>): Promise<boolean> =>
    answer.then(
      () => true,
      () => false,
    );
  for (const item of items) {
    const attempt = ask(item);
    asked.push(attempt);
    if (await Promise.race([answered(Promise.any(asked)), answered(attempt), sleep(patience).then(() => false)])) break;
  }
  return Promise.any(asked);
}
