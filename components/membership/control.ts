import { backoff } from "../remote/backoff";
import { whileWaiting, type WaitingIo } from "../waiting";
import type { LocalSwarmState, SwarmApi, SwarmNode } from "./swarm-api";
import type { HostFailure, MembershipIo, MembershipLimits } from "./types";

/** Join tokens and unlock keys have forms of their own (SWMTKN-1-…, SWMKEY-1-…); none may get into a message. */
export function withoutTokens(text: string): string {
  return text.replaceAll(/SWMTKN-[A-Za-z0-9-]+/g, "(token)").replaceAll(/SWMKEY-[A-Za-z0-9+/=-]+/g, "(key)");
}

export function messageOf(error: unknown): string {
  return withoutTokens(error instanceof Error ? error.message : String(error));
}

/** An engine that is not, or not yet, a manager that takes part: another one may be. */
const noControl =
  /not have a leader|no leader|not a swarm manager|not part of a swarm|control\.sock|Unavailable|DeadlineExceeded|deadline exceeded|connection .*(broke|refused|reset)|did not answer|no longer answers|cannot be reached/i;
/** Somebody else changed the node between the engine's reading and its writing: the same change, once more. */
const conflict = /out of sequence/i;

/** The managers of the swarm, by node id, asked one after the other until one takes the call. */
export class Control {
  private readonly managers = new Map<string, SwarmApi>();
  private running: Promise<unknown> = Promise.resolve();
  private waiting: Promise<readonly SwarmNode[]> | undefined;

  constructor(
    private readonly io: Pick<MembershipIo, "sleep" | "now">,
    private readonly limits: MembershipLimits,
  ) {}

  add(nodeId: string, api: SwarmApi): void {
    this.managers.set(nodeId, api);
  }

  has(nodeId: string | undefined): boolean {
    return nodeId !== undefined && this.managers.has(nodeId);
  }

  drop(nodeId: string): void {
    this.managers.delete(nodeId);
  }

  /** @throws what the last manager said, when none took the call within the limit. */
  async call<Result>(work: (api: SwarmApi) => Promise<Result>): Promise<Result> {
    const until = this.io.now() + this.limits.leader;
    for (;;) {
      let last = "no manager is left to be asked";
      for (const [nodeId, api] of [...this.managers]) {
        try {
          return await work(api);
        } catch (error) {
          last = messageOf(error);
          if (!noControl.test(last) && !conflict.test(last)) throw error;
          if (!conflict.test(last)) this.askLast(nodeId, api);
        }
      }
      if (this.io.now() >= until) throw new Error(`no manager took the call within ${this.limits.leader / 1000} s, the last one said: ${last}`);
      await this.io.sleep(500);
    }
  }

  /** A manager that gave an error often takes 20 s to give the next one. */
  private askLast(nodeId: string, api: SwarmApi): void {
    if (this.managers.delete(nodeId)) this.managers.set(nodeId, api);
  }

  /**
   * The list is asked for once at a time, however many hosts wait for something in it. Who asks while an answer is on
   * its way gets the next one: never one from before their own change.
   */
  nodes(): Promise<readonly SwarmNode[]> {
    this.waiting ??= this.running.then(() => {
      this.waiting = undefined;
      const asked = this.call((api) => api.nodes());
      this.running = asked.catch(() => undefined);
      return asked;
    });
    return this.waiting;
  }

  async node(id: string): Promise<SwarmNode | undefined> {
    return (await this.nodes()).find((node) => node.id === id);
  }
}

/** What failed, host by host. The others go on. */
export class Failures {
  private readonly failures: HostFailure[] = [];

  get list(): readonly HostFailure[] {
    return this.failures;
  }

  has(host: string): boolean {
    return this.failures.some((failure) => failure.host === host);
  }

  add(host: string, reason: string): void {
    this.failures.push({ host, reason: withoutTokens(reason) });
  }

  async attempt(host: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.add(host, messageOf(error));
    }
  }
}

/** What every phase works with. */
export interface Work {
  readonly control: Control;
  readonly failures: Failures;
  readonly io: MembershipIo;
  readonly limits: MembershipLimits;
  /** Node id by host key, of the hosts that are members by now. */
  readonly members: Map<string, string>;
}

/** Between two looks, in milliseconds: soon at first, less often later. */
const [soonest, latest] = [50, 400];

/**
 * Looks until it is so.
 *
 * @param what Is waited for, after "waiting for"; with the host where it is about one.
 * @returns whether it became so within the limit.
 */
export async function waitUntil(
  io: Pick<MembershipIo, "sleep" | "now"> & WaitingIo,
  what: string | readonly [host: string, what: string],
  limit: number,
  look: (seen: (detail: string) => void) => Promise<boolean>,
): Promise<boolean> {
  const until = io.now() + limit;
  const pause = backoff(soonest, latest);
  const [host, thing] = typeof what === "string" ? [undefined, what] : what;
  return whileWaiting(io, host, thing, limit, async (seen) => {
    for (;;) {
      if (await look(seen)) return true;
      if (io.now() >= until) return false;
      await io.sleep(pause());
    }
  });
}

/** How the host sees itself, or undefined while its engine gives errors, as one whose role is changing may. */
export function localOrNothing(api: SwarmApi, apart = 0): Promise<LocalSwarmState | undefined> {
  return api.local(apart).catch(() => undefined);
}
