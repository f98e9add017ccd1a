import type { AsideWork } from "../membership/aside";
import { waitUntil } from "../membership/control";
import type { ServiceTasks } from "../membership/swarm-api";
import { fewOf } from "../report";

/**
 * What runs on the hosts of a walk. That a host's tasks are gone from it does not mean that they run elsewhere: an image may still have to
 * come. Another host taken before that could have the last one of a service.
 */
export class Services {
  /** How many tasks a service had when the wait for it was over, by its id: it is not waited for again because of those that it lacks. */
  private readonly most = new Map<string, number>();

  /** Waits until each service has all of its tasks, or as many as before the walk, but as long as for the tasks of a host at most. */
  async whole({ control, io, limits }: Pick<AsideWork, "control" | "io" | "limits">): Promise<void> {
    let short: readonly ServiceTasks[] = [];
    const whole = await waitUntil(io, "services to run all their tasks again", limits.drain, async (seen) => {
      const services = await control.call((manager) => manager.services());
      short = services.filter(({ id, running, desired }) => running < Math.min(desired, this.most.get(id) ?? desired));
      if (short.length > 0) seen(describe(short));
      return short.length === 0;
    });
    if (whole) return;
    for (const { id, running } of short) this.most.set(id, running);
    io.progress(undefined, `warning: after ${limits.drain / 1000} s, ${describe(short)}; going on without the rest`);
  }
}

function describe(short: readonly ServiceTasks[]): string {
  return fewOf(short.map(({ name, running, desired }) => `${name} runs ${running} of ${desired} tasks`));
}
