/** What is waited for, from when it begins to be waited for until it is there or given up. */
export interface Waiting {
  /** What was seen last. It stands beside the time in what a person is told. */
  seen(detail: string): void;
  end(): void;
}

/** Work on some hosts, which is counted while it lasts. */
export interface Counting {
  /** Of one host, which is done or has failed. */
  ended(host: string, well: boolean): void;
  end(): void;
}

/** Where work tells how far it is. What has no such place goes on without a word. */
export interface WaitingIo {
  /**
   * A wait begins that may take more than a few seconds.
   *
   * @param host undefined where it is for all hosts.
   * @param what After "waiting for", as "SSH".
   * @param limit In milliseconds: when it is given up.
   */
  waiting?(host: string | undefined, what: string, limit: number): Waiting;
  /** @param done What is true of a host then, as "joined the swarm". */
  counting?(done: string, hosts: readonly string[]): Counting;
}

/** Waits where somebody may be told of it, and ends the wait whatever comes. */
export async function whileWaiting<Result>(
  io: WaitingIo,
  host: string | undefined,
  what: string,
  limit: number,
  work: (seen: (detail: string) => void) => Promise<Result>,
): Promise<Result> {
  const waiting = io.waiting?.(host, what, limit);
  try {
    return await work((detail) => waiting?.seen(detail));
  } finally {
    waiting?.end();
  }
}
