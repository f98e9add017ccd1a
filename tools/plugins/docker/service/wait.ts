import { setTimeout as delay } from "node:timers/promises";

export interface Wait<T> {
  /** Before the first look. */
  readonly delayMilliseconds: number;
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal;
  /** `undefined` for not yet. */
  readonly look: () => Promise<T | undefined>;
}

export class TimedOut extends Error {}

const BETWEEN_MILLISECONDS = [5_000, 10_000];

/**
 * As the SDK waits for a state with a `MinTimeout` of 5 s (terraform-plugin-sdk v2, helper/retry/state.go, WaitForStateContext): a look after
 * the delay, one 5 s later, and then one every 10 s. It also looks no oftener than the real one, which may miss what comes and goes.
 */
export async function waitFor<T>({ delayMilliseconds, timeoutMilliseconds, signal, look }: Wait<T>): Promise<T> {
  const limit = Date.now() + timeoutMilliseconds;
  const rest = async (milliseconds: number): Promise<void> => {
    if (Date.now() + milliseconds > limit) {
      await delay(Math.max(0, limit - Date.now()), undefined, { signal });
      throw new TimedOut("timeout while waiting for state");
    }
    await delay(milliseconds, undefined, { signal });
  };
  await rest(delayMilliseconds);
  for (let looks = 0; ; looks += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await rest(BETWEEN_MILLISECONDS[Math.min(looks, 1)] ?? 10_000);
  }
}
