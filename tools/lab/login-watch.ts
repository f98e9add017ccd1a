import type { Connection } from "../../components/remote/connection";
import { SshSession } from "../../components/remote/ssh";

/** How a host was logged in to, again and again. */
export interface Logins {
  readonly byFirst: number;
  readonly bySecond: number;
  /** What was said when neither key was let in. */
  readonly refused: readonly string[];
}

/**
 * Logs in to each host again and again, by the first key and where that is refused by the second one. The second may be new: whoever takes
 * the first one away must have put the second one there before.
 */
export class LoginWatch {
  private ended = false;
  private readonly watching: Promise<(readonly [string, Logins])[]>;

  constructor(connections: Readonly<Record<string, Connection>>, [first, second]: readonly [first: string, second: string]) {
    const ways = Object.entries(connections).map(([key, connection]) => [key, { ...connection, privateKey: first, formerKeys: [second] }] as const);
    this.watching = Promise.all(ways.map(async ([key, connection]) => [key, await this.watch(key, connection)] as const));
  }

  async stop(): Promise<Readonly<Record<string, Logins>>> {
    this.ended = true;
    return Object.fromEntries(await this.watching);
  }

  private async watch(key: string, connection: Connection): Promise<Logins> {
    const seen = { byFirst: 0, bySecond: 0, refused: [] as string[] };
    while (!this.ended) {
      try {
        const session = await SshSession.open(key, connection);
        if (session.formerKey === undefined) seen.byFirst += 1;
        else seen.bySecond += 1;
        session.close();
      } catch (error) {
        seen.refused.push((error as Error).message);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return seen;
  }
}
