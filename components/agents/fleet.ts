import pLimit from "p-limit";
import { DockerApi } from "../remote/docker-api";
import { type Connection, defaultRemoteLimits, RemoteError } from "../remote/connection";
import { SshSession } from "../remote/ssh";
import { progress } from "./run";

/** A host with a session that stands. */
export interface ReachedHost {
  readonly key: string;
  readonly session: SshSession;
  readonly docker: DockerApi;
}

export interface Failure {
  readonly host: string;
  readonly reason: string;
}

/** Enough to hide the hosts' latency, few enough for the operator's own file and process limits. */
const mostAtOnce = 64;

/** The sessions of one run, all closed at its end. */
export class Fleet {
  private readonly reached: ReachedHost[] = [];

  constructor(private readonly reachableSeconds: number) {}

  /** A session that is kept until the end of the run. */
  async reach(key: string, connection: Connection, mostSeconds = this.reachableSeconds): Promise<ReachedHost> {
    let said = "";
    const session = await this.dial(key, connection, mostSeconds, (reason) => {
      if (reason !== said) progress(key, `waiting for SSH: ${reason}`);
      said = reason;
    });
    const host = { key, session, docker: new DockerApi(key, session) };
    this.reached.push(host);
    return host;
  }

  /** One more session, which whoever asks for it closes. */
  dial(key: string, connection: Connection, mostSeconds: number, onRetry: (reason: string) => void = () => {}): Promise<SshSession> {
    return SshSession.open(key, connection, { ...defaultRemoteLimits, reachable: Math.min(mostSeconds, this.reachableSeconds) * 1000 }, onRetry);
  }

  close(): void {
    for (const { docker, session } of this.reached) {
      docker.close();
      session.close();
    }
  }
}

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
  if (error instanceof RemoteError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
