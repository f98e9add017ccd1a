import { hostname, userInfo } from "node:os";
import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import { RemoteError } from "./connection";
import { loadScript, quote } from "./script";
import { utf8, utf8Lines } from "./text";

const script = loadScript(__dirname, "lock.sh");

/** Seconds without a sign of life after which a holder has lost its lock. */
export const silenceSeconds = 30;

/** The holder stops this many milliseconds earlier than the host gives the lock to another one. */
const margin = 5_000;
const beatEvery = 5_000;

/** What a lock needs of a session. */
export interface LockSession {
  readonly host: string;
  /** A command as root, with its standard input and output. */
  stream<Result>(command: string, use: (channel: Duplex) => Result | Promise<Result>): Promise<Result>;
}

export interface LockRequest {
  /** Of the lock's file; all that must not run at the same time takes the same. */
  readonly name: string;
  /** Who takes it, for those who wait. */
  readonly holder: string;
  /** Seconds to wait for another holder; 0 tries once. */
  readonly wait: number;
  /** Another one holds it, and is waited for. */
  readonly onHeld?: (holder: string) => void;
}

/** Another one had the lock for as long as was to be waited. */
export interface Held {
  readonly heldBy: string;
}

/** In milliseconds; monotonic, since the time of day may jump. */
export type Clock = () => number;

/**
 * A lock on a host. It lives as long as both ends hear of each other: whoever loses the network has lost it on the host after
 * 30 s, and knows so itself some seconds before, by the answers that do not come.
 */
export class HostLock {
  private closed = false;
  /** When the beats that are not answered yet were sent. */
  private readonly sent: number[] = [];
  /** When the last answered beat was sent: what the host counts from is not earlier. */
  private heard: number;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly host: string,
    private readonly channel: Duplex,
    private readonly now: Clock,
  ) {
    this.heard = now();
    channel.on("close", () => this.end());
    channel.on("error", () => this.end());
    this.timer = setInterval(() => this.beat(), beatEvery);
    this.beat();
  }

  /** @returns the lock; or who has it, where that one had it until the end of `wait`. */
  static take(session: LockSession, request: LockRequest, now: Clock = () => performance.now()): Promise<HostLock | Held> {
    const { name, holder, wait } = request;
    const values = { FILE: lockFile(name), WAIT: String(wait), SILENCE: String(silenceSeconds), HOLDER: holder };
    const assignments = Object.entries(values).map(([key, value]) => `${key}=${quote(value)}`);
    // An argument and not the standard input, which is for the signs of life. Nothing of it is secret.
    return session.stream(`sh -c ${quote([...assignments, script].join("\n"))}`, (channel) => HostLock.on(channel, session.host, request, now));
  }

  private static on(channel: Duplex, host: string, { name, onHeld }: LockRequest, now: Clock): Promise<HostLock | Held> {
    return new Promise((resolve, reject) => {
      let lock: HostLock | undefined;
      let [heldBy, complaint]: [string | undefined, string] = [undefined, ""];
      const ended = (): void => {
        if (heldBy !== undefined && !lock) resolve({ heldBy });
        else reject(new RemoteError(host, `cannot be locked for this run: ${complaint.trim() || "the session ended"}`));
      };
      errorsOf(channel)?.on(
        "data",
        utf8((text) => (complaint += text)),
      );
      channel.on("close", ended);
      channel.on("error", ended);
      const onLine = (line: string): void => {
        const [word = "", ...rest] = line.split(" ");
        if (word === "held") {
          heldBy = rest.join(" ") || unknownHolder(name);
          onHeld?.(heldBy);
        } else if (word === "locked") {
          lock = new HostLock(host, channel, now);
        } else if (word === "beat" && lock) {
          lock.answered();
          resolve(lock);
        }
      };
      channel.on("data", utf8Lines(onLine));
    });
  }

  /** @throws RemoteError when the lock is lost, or may be lost before what is about to be sent arrives. */
  check(): void {
    const silent = this.now() - this.heard;
    if (!this.closed && silent < silenceSeconds * 1000 - margin) return;
    const why = this.closed
      ? "was taken from this run"
      : `may be another run's by now: nothing was heard of this host for ${Math.round(silent / 1000)} s`;
    throw new RemoteError(this.host, `the lock ${why}. Nothing more is changed there by this run; see that the network holds and run again`);
  }

  release(): void {
    this.end();
    this.channel.end();
  }

  private beat(): void {
    this.sent.push(this.now());
    this.channel.write(".");
  }

  private answered(): void {
    this.heard = this.sent.shift() ?? this.heard;
  }

  private end(): void {
    this.closed = true;
    clearInterval(this.timer);
  }
}

/** As whom this process takes locks. @param what What it works on, such as `SwarmCluster prod` */
export function thisRun(what: string): string {
  return `${userName()}@${hostname()}, process ${process.pid}, for ${what}`;
}

/** What a person can do about a lock that another one has. */
export function freeing(host: string): string {
  return (
    `wait for that run, or end it where it runs; if its machine or network is gone, it loses the lock within ${silenceSeconds} s. ` +
    `To take it away by force, kill on ${host} the process that is named last`
  );
}

function lockFile(name: string): string {
  return `/run/lock/${name}.lock`;
}

/** A run of version 0.1.0 leaves no name. */
function unknownHolder(name: string): string {
  return `a run that left no name, as those of version 0.1.0 (on the host, fuser ${lockFile(name)} names its process)`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that no user has.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

function errorsOf(channel: Duplex): NodeJS.EventEmitter | undefined {
  return "stderr" in channel ? (channel.stderr as NodeJS.EventEmitter) : undefined;
}
