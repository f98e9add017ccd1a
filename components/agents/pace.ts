import { fewOf } from "../report";
import type { Counting, Waiting } from "../waiting";

/** What tells the time; another one in tests. */
export interface PaceClock {
  now(): number;
  /** Calls it again and again. @returns what ends that. */
  every(milliseconds: number, tick: () => void): () => void;
}

const realClock: PaceClock = {
  now: Date.now,
  every: (milliseconds, tick) => {
    // No reason to keep a process alive.
    const timer = setInterval(tick, milliseconds).unref();
    return () => clearInterval(timer);
  },
};

/** What ends sooner is not worth a line. */
const worthALine = 3_000;
const look = 1_000;

/** How long after a line comes the next one of the same wait: the longer it lasts, the less there is to see. */
function pauseAfter(waited: number): number {
  if (waited < 60_000) return 5_000;
  return waited < 300_000 ? 10_000 : 30_000;
}

interface Wait {
  readonly host: string | undefined;
  readonly what: string;
  readonly since: number;
  readonly limit: number;
  detail: string;
}

interface Count {
  /** That it is done to a host, as "Docker ready". */
  readonly done: string;
  readonly since: number;
  readonly open: Set<string>;
  readonly all: number;
  failed: number;
  saidAt: number;
  /** How many were open then. */
  saidOpen: number;
}

/**
 * Tells a person, every few seconds, what a run waits for and how far it is: one line for all waits for the same thing, whatever the
 * number of hosts, and nothing of what is quick.
 */
export class Pace {
  private readonly waits = new Set<Wait>();
  private readonly counts = new Set<Count>();
  /** When a line was last written of each thing that is waited for. */
  private readonly said = new Map<string, number>();
  private stop: (() => void) | undefined;

  constructor(
    private readonly say: (line: string) => void,
    private readonly clock: PaceClock = realClock,
  ) {}

  /** @param limit In milliseconds. */
  wait(host: string | undefined, what: string, limit: number): Waiting {
    const wait: Wait = { host, what, since: this.clock.now(), limit, detail: "" };
    this.begin(this.waits, wait);
    return { seen: (detail) => (wait.detail = detail), end: () => this.end(this.waits, wait) };
  }

  /** @param done What is true of a host then, as "Docker ready". */
  count(done: string, hosts: readonly string[]): Counting {
    const now = this.clock.now();
    const count: Count = { done, since: now, open: new Set(hosts), all: hosts.length, failed: 0, saidAt: now, saidOpen: hosts.length };
    this.begin(this.counts, count);
    return {
      ended: (host, well) => {
        if (count.open.delete(host) && !well) count.failed += 1;
      },
      end: () => this.end(this.counts, count),
    };
  }

  private begin<Entry>(entries: Set<Entry>, entry: Entry): void {
    entries.add(entry);
    this.stop ??= this.clock.every(look, () => this.tick());
  }

  private end<Entry>(entries: Set<Entry>, entry: Entry): void {
    entries.delete(entry);
    if (this.waits.size + this.counts.size > 0) return;
    this.stop?.();
    this.stop = undefined;
  }

  private tick(): void {
    const now = this.clock.now();
    for (const what of new Set([...this.waits].map((wait) => wait.what))) {
      const same = [...this.waits].filter((wait) => wait.what === what);
      const waited = Math.max(...same.map(({ since }) => now - since));
      const last = this.said.get(what) ?? -Infinity;
      if (waited < worthALine || now - last < pauseAfter(waited)) continue;
      this.said.set(what, now);
      this.say(describeWait(same, now));
    }
    for (const count of this.counts) {
      const waited = now - count.since;
      if (waited < worthALine || now - count.saidAt < pauseAfter(waited)) continue;
      // Who waits says so.
      if (count.open.size === count.saidOpen && this.waits.size > 0) continue;
      count.saidAt = now;
      count.saidOpen = count.open.size;
      this.say(describeCount(count, now));
    }
  }
}

/** Of several hosts, the time of the one that waits longest. */
function describeWait(waits: readonly Wait[], now: number): string {
  const longest = waits.reduce((one, other) => (other.since < one.since ? other : one));
  const { host, what, since, limit, detail } = longest;
  const time = `${secondsOf(now - since)} of ${secondsOf(limit)} s`;
  if (host === undefined || waits.length === 1)
    return `${host === undefined ? "" : `${host}: `}waiting for ${what}: ${time}${detail === "" ? "" : ` (${detail})`}`;
  return `waiting for ${what} on ${fewOf(waits.flatMap((wait) => wait.host ?? []))}: ${time}`;
}

function describeCount({ done, since, open, all, failed }: Count, now: number): string {
  const well = all - open.size - failed;
  const not = failed === 0 ? "" : `, ${failed} failed`;
  const rest = open.size === 0 ? "" : `; not yet: ${fewOf([...open])}`;
  return `${well} of ${all} ${all === 1 ? "host" : "hosts"}: ${done}${not} (${secondsOf(now - since)} s${rest})`;
}

function secondsOf(milliseconds: number): number {
  return Math.round(milliseconds / 1000);
}
