import { AsyncResource } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../remote/connection";
import { reasonOf } from "../../remote/each";
import type { HostContext, HostService, HostToMake } from "../host";

/**
 * Longest that others wait for a machine that is being changed, of which its provider tells nothing more. Most give up within
 * ten minutes.
 */
const longestChange = 20 * 60_000;

/**
 * Options for a machine's resource, by which machines of a cluster are stopped one at a time, whichever groups and sites they are
 * in: each is drained before, and takes part in the swarm again before the next one begins. Nothing of it shows in the preview.
 *
 * @param stopping Arguments of the resource whose change stops the machine.
 * @param connection How the machine is reached, where that comes out of the resource itself: it is needed while the resource waits
 *   for its turn, and is then made from the machine's id. @default - `Machine.connection`
 */
export function oneAtATime(
  { cluster, shared, service }: Pick<HostContext, "cluster" | "shared" | "service">,
  { key, parent }: Pick<HostToMake, "key" | "parent">,
  stopping: readonly string[],
  connection?: (id: string) => pulumi.Input<Connection>,
): Pick<pulumi.CustomResourceOptions, "hooks"> {
  if (!canHook()) return {};
  const turns = shared("turns of machines", () => new Turns(service));
  const stops = ({ oldInputs = {}, newInputs = {} }: Pick<pulumi.ResourceHookArgs, "oldInputs" | "newInputs">): boolean =>
    stopping.some((name) => JSON.stringify(oldInputs[name]) !== JSON.stringify(newInputs[name]));
  const name = (when: string): string => `${cluster}-${key} ${when} it is stopped`;
  // What is thrown after an update is a warning only; an error that is logged ends the run as failed.
  const end = async (how: "changed" | "not changed"): Promise<void> => {
    const wrong = await turns.end(key, how);
    if (wrong !== undefined) await pulumi.log.error(wrong, parent);
  };
  const begin = async (args: pulumi.ResourceHookArgs): Promise<void> => {
    if (!stops(args)) return;
    if (connection) service.reachedBy(key, connection(args.id));
    await turns.begin(key);
  };
  return {
    hooks: {
      beforeUpdate: [new pulumi.ResourceHook(name("before"), ofThisRun(begin))],
      afterUpdate: [
        new pulumi.ResourceHook(
          name("after"),
          ofThisRun(async (args) => (stops(args) ? end("changed") : undefined)),
        ),
      ],
      onError: [
        new pulumi.ErrorHook(
          name("when it fails while"),
          ofThisRun(async (args) => {
            if (args.failedOperation === "update" && stops(args)) await end("not changed");
            return false;
          }),
        ),
      ],
    },
  };
}

/**
 * Where this package serves programs of other languages, the SDK's log knows its engine only within the run to which a component belongs,
 * and hooks are called from outside: what they log would be lost, errors too.
 */
function ofThisRun<Args, Result>(hook: (args: Args) => Promise<Result>): (args: Args) => Promise<Result> {
  return AsyncResource.bind(hook);
}

/** The SDK's mocks, by which users test their programs, have no engine that would call hooks, and wait for one without end. */
function canHook(): boolean {
  return "registerResourceHook" in (pulumi.runtime.getMonitor() ?? {});
}

/** One host at a time. When one does not come back, no other is begun. */
export class Turns {
  private last: Promise<void> = Promise.resolve();
  private readonly held = new Map<string, () => void>();
  private failed: string | undefined;

  constructor(
    private readonly service: HostService,
    private readonly longest = longestChange,
  ) {}

  /** @throws why the host is not to be stopped now. */
  async begin(host: string): Promise<void> {
    const before = this.last;
    this.last = new Promise((resolve) => this.held.set(host, resolve));
    const free = await within(before, this.longest);
    if (!free) this.failed ??= [...this.held.keys()][0] ?? "the one before";
    if (this.failed !== undefined) {
      this.release(host);
      throw new Error(`${host} was not begun, since ${this.failed} is not as it should be. Run again when that is mended`);
    }
    try {
      await this.service.leave(host);
    } catch (error) {
      this.failed = host;
      this.release(host);
      throw new Error(`${host} was not stopped: ${reasonOf(error)}`);
    }
  }

  /** @returns what is wrong with the host, in a sentence. */
  async end(host: string, how: "changed" | "not changed"): Promise<string | undefined> {
    if (how === "not changed") this.failed = host;
    try {
      await this.service.enter(host);
      return undefined;
    } catch (error) {
      this.failed = host;
      const reason = reasonOf(error);
      return (
        `${host} was stopped to be changed, and is not back in the swarm: ${reason.replace(`${host}: `, "")} ` +
        "No other host was begun. Fix: see at the provider's console whether the machine has started and what it says, then run again."
      );
    } finally {
      this.release(host);
    }
  }

  private release(host: string): void {
    this.held.get(host)?.();
    this.held.delete(host);
  }
}

/** @returns whether it came to its end in time. */
async function within(work: Promise<void>, limit: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), limit)));
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer));
}
