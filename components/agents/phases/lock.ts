import { freeing, type Held, HostLock, type LockRequest, type LockSession, thisRun } from "../../remote/lock";
import { type Failure, onEach } from "../../remote/each";
import { whileWaiting } from "../../waiting";
import { progress, waiting } from "../run";

/** What was long enough for any run that is not stuck. */
const lockSeconds = 300;

export interface Lockable {
  readonly key: string;
  readonly session: LockSession & { readonly address: string };
}

export interface LockOptions {
  /** Of the lock's file. */
  readonly name: string;
  /** What this run works on, for those who wait. */
  readonly what: string;
}

/** Where the locks of a run are kept; it asks them before each piece of work. */
export interface LockKeeper {
  hold(key: string, lock: HostLock): void;
}

/**
 * When Pulumi is killed, what it started may go on for a while, and the next `up` meets it; a colleague's `up` may too. So a run
 * holds a lock on each host that it can reach: two runs that can work on the same host never do so at the same time, whichever
 * others each of them reaches, and a lock that is lost with one host stops the work on that host alone.
 *
 * Whoever waits holds only locks of hosts that come before, in an order that all runs share. So no two wait for each other.
 *
 * @throws when another run holds one for longer than a run takes.
 */
export async function lockHosts(
  keeper: LockKeeper,
  hosts: readonly Lockable[],
  options: LockOptions,
  failures: Failure[],
  say: typeof progress = progress,
): Promise<void> {
  const until = Date.now() + lockSeconds * 1000;
  let missing = [...hosts].sort((one, other) => (one.session.address < other.session.address ? -1 : 1));
  for (;;) {
    const [first, ...after] = await tryAll(keeper, missing, options, failures);
    if (!first) return;
    const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
    await whileWaiting({ waiting }, first.key, "another run", seconds * 1000, async (seen) => {
      const onHeld = (holder: string): void => {
        seen(holder);
        say(first.key, `another run holds the lock: ${holder}. Waiting for it, up to ${seconds} s`);
      };
      await wait(keeper, first, { ...request(options), wait: seconds, onHeld }, failures);
    });
    missing = after;
  }
}

/** All at once. @returns the first that another run has, and all that come after it, whose locks are given back. */
async function tryAll(keeper: LockKeeper, hosts: readonly Lockable[], options: LockOptions, failures: Failure[]): Promise<readonly Lockable[]> {
  const taken = await onEach(hosts, failures, ({ session }) => HostLock.take(session, { ...request(options), wait: 0 }));
  const held = hosts.findIndex(({ key }) => isHeld(taken.get(key)));
  const kept = held < 0 ? hosts : hosts.slice(0, held);
  const rest = held < 0 ? [] : hosts.slice(held);
  for (const { key } of kept) keep(keeper, key, taken.get(key));
  for (const { key } of rest) giveBack(taken.get(key));
  return rest;
}

async function wait(keeper: LockKeeper, { key, session }: Lockable, asked: LockRequest, failures: Failure[]): Promise<void> {
  const lock = (await onEach([{ key }], failures, () => HostLock.take(session, asked))).get(key);
  if (isHeld(lock)) {
    throw new Error(
      `${key}: another run has held the lock for ${asked.wait} s and still works: ${lock.heldBy}. Nothing was changed. Fix: ${freeing(key)}`,
    );
  }
  keep(keeper, key, lock);
}

function request({ name, what }: LockOptions): { readonly name: string; readonly holder: string } {
  return { name, holder: thisRun(what) };
}

function keep(keeper: LockKeeper, key: string, lock: HostLock | Held | undefined): void {
  if (lock instanceof HostLock) keeper.hold(key, lock);
}

function giveBack(lock: HostLock | Held | undefined): void {
  if (lock instanceof HostLock) lock.release();
}

function isHeld(lock: HostLock | Held | undefined): lock is Held {
  return lock !== undefined && !(lock instanceof HostLock);
}
