import type { SwarmApi, SwarmNode } from "./swarm-api";
import type { MembershipIo, MembershipLimits } from "./types";

/** Join tokens have a form of their own (SWMTKN-1-…); none may get into a message. */
export function withoutTokens(text: string): string {
  return text.replaceAll(/SWMTKN-[A-Za-z0-9-]+/g, "(token)");
}

export function messageOf(error: unknown): string {
  return withoutTokens(error instanceof Error ? error.message : String(error));
}

/** An engine that is not, or not yet, a manager that takes part: another one may be. */
const noControl =
  /does not have a leader|not a swarm manager|has no leader|control\.sock|DeadlineExceeded|deadline exceeded|connection .*(broke|refused)|did not answer|no longer answers|raft/i;

/** The managers of the swarm, asked one after the other until one takes the call. */
export class Control {
  private readonly managers = new Map<string, SwarmApi>();

  constructor(
    private readonly io: Pick<MembershipIo, "sleep" | "now">,
    private readonly limits: MembershipLimits,
  ) {}

  add(key: string, api: SwarmApi): void {
    this.managers.set(key, api);
  }

  drop(key: string): void {
    this.managers.delete(key);
  }

  get keys(): readonly string[] {
    return [...this.managers.keys()];
  }

  /** @throws what the last manager said, when none took the call within the limit. */
  async call<Result>(work: (api: SwarmApi) => Promise<Result>): Promise<Result> {
    const until = this.io.now() + this.limits.leader;
    for (;;) {
      let last: unknown = new Error("no manager can be asked");
      for (const api of this.managers.values()) {
        try {
          return await work(api);
        } catch (error) {
          // Somebody else changed the node between our reading and our writing: read and write again.
          if (!noControl.test(messageOf(error)) && !/out of sequence/.test(messageOf(error))) throw error;
          last = error;
        }
      }
      if (this.io.now() > until) throw last;
      await this.io.sleep(500);
    }
  }

  nodes(): Promise<readonly SwarmNode[]> {
    return this.call((api) => api.nodes());
  }

  async node(id: string): Promise<SwarmNode | undefined> {
    return (await this.nodes()).find((node) => node.id === id);
  }
}

/** Looks until it is so. @returns whether it became so within the limit. */
export async function waitUntil(io: Pick<MembershipIo, "sleep" | "now">, limit: number, look: () => Promise<boolean>, every = 400): Promise<boolean> {
  const until = io.now() + limit;
  for (;;) {
    if (await look()) return true;
    if (io.now() >= until) return false;
    await io.sleep(every);
  }
}
