import { reasonOf } from "../../remote/each";
import type { HostService, Stop } from "../host";

/**
 * Longest that a machine may be away to be changed, counted from its own turn. Its provider tells nothing more while it is changed. Most
 * providers give up within ten minutes.
 */
const longestChange = 20 * 60_000;

/** For all machines of a run to ask for their turn, before it is chosen who is first. The engine begins their updates side by side. */
const gathering = 3_000;

export interface TurnLimits {
  readonly longest?: number;
  readonly gathering?: number;
}

interface Waiting {
  readonly host: string;
  readonly go: () => void;
}

/** One host at a time, in the order of a walk as far as they wait together. When one does not come back, no other is begun. */
export class Turns {
  private readonly waiting: Waiting[] = [];
  /** Whether it is being chosen who is next. */
  private choosing = false;
  private holder: { readonly host: string; readonly timer: NodeJS.Timeout } | undefined;
  private failed: { readonly host: string; readonly why: string } | undefined;

  constructor(
    private readonly service: HostService,
    private readonly limits: TurnLimits = {},
  ) {}

  /** @throws why the host is not to be stopped now. */
  async begin(host: string, stop: Stop): Promise<void> {
    await new Promise<void>((go) => {
      this.waiting.push({ host, go });
      if (this.holder === undefined && !this.choosing) this.choose(this.limits.gathering ?? gathering);
    });
    if (this.failed !== undefined) {
      const { host: other, why } = this.failed;
      this.release(host);
      throw new Error(`${host} was not changed, because ${other} ${why}. Fix ${other}, then run again`);
    }
    try {
      await this.service.leave(host, stop);
    } catch (error) {
      this.failed = { host, why: "could not be drained" };
      this.release(host);
      throw new Error(`${host} was not stopped: ${reasonOf(error)}`);
    }
  }

  /** @returns what is wrong with the host, in a sentence. */
  async end(host: string, how: "changed" | "not changed"): Promise<string | undefined> {
    if (how === "not changed") this.failed = { host, why: "was not changed by its provider" };
    try {
      await this.service.enter(host);
      return undefined;
    } catch (error) {
      this.failed = { host, why: "is not back in the swarm" };
      const reason = reasonOf(error);
      return (
        `${host} was stopped to be changed, and is not back in the swarm: ${reason.replace(`${host}: `, "")} ` +
        "No other host was begun. Fix: see at the provider's console whether the machine has started and what it says, then run again."
      );
    } finally {
      this.release(host);
    }
  }

  private choose(after: number): void {
    this.choosing = true;
    setTimeout(() => void this.next(), after);
  }

  private async next(): Promise<void> {
    // Once one has failed, all that wait are only told so.
    const hosts = this.waiting.map(({ host }) => host);
    const chosen = this.failed === undefined ? await this.service.next(hosts).catch(() => undefined) : undefined;
    this.choosing = false;
    const index = Math.max(0, hosts.indexOf(chosen ?? ""));
    const [first] = this.waiting.splice(index, 1);
    if (first === undefined) return;
    // It must not hold up a program that has nothing else to do.
    const timer = setTimeout(() => this.expire(first.host), this.limits.longest ?? longestChange).unref();
    this.holder = { host: first.host, timer };
    first.go();
  }

  /** Nothing was heard of it: all that wait are told so. */
  private expire(host: string): void {
    this.failed ??= { host, why: `has had its turn for ${Math.round((this.limits.longest ?? longestChange) / 60_000)} minutes and is not back` };
    this.release(host);
  }

  private release(host: string): void {
    if (this.holder?.host !== host) return;
    clearTimeout(this.holder.timer);
    this.holder = undefined;
    if (this.waiting.length > 0) this.choose(0);
  }
}
