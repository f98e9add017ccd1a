import { existsSync, readFileSync } from "node:fs";
import { docker } from "../tools/lab/machines";

/*
 * What an `up` costs a host whose machine is a container. Both hardly depend on how busy the machine below is, which the time of an up does.
 */

/** Since the host was started. */
export interface Cost {
  /** Processes and threads. */
  readonly started: number;
  /** Milliseconds of a processor, of all that runs there: also Docker's and sshd's. */
  readonly processor: number;
}

async function costOf(name: string): Promise<Cost> {
  const id = await docker("inspect", "--format", "{{.Id}}", name);
  // proc(5): the last number is that of the process that was made last, of those that the asking one can see.
  const started = Number((await docker("exec", name, "cat", "/proc/loadavg")).split(" ").at(-1));
  return { started, processor: processorOf(id) };
}

/** As either version of cgroups has it. */
function processorOf(id: string): number {
  const first = `/sys/fs/cgroup/cpuacct/docker/${id}/cpuacct.usage`;
  if (existsSync(first)) return Number(readFileSync(first, "utf8")) / 1e6;
  const second = `/sys/fs/cgroup/system.slice/docker-${id}.scope/cpu.stat`;
  if (existsSync(second)) return Number(/^usage_usec (\d+)$/m.exec(readFileSync(second, "utf8"))?.[1]) / 1e3;
  return NaN;
}

/** What some work costs each of these machines, in a line. Two of the processes are this question's. */
export async function withCost<Result>(
  names: readonly string[],
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly cost: string }> {
  const before = await Promise.all(names.map(costOf));
  const result = await work();
  const after = await Promise.all(names.map(costOf));
  const differences = (what: keyof Cost): number[] => after.map((now, index) => now[what] - (before[index]?.[what] ?? NaN)).sort((a, b) => a - b);
  const range = (what: keyof Cost): string =>
    [...new Set([differences(what)[0], differences(what).at(-1)].map((each = NaN) => Math.round(each)))].join(" to ");
  return { result, cost: `each host started ${range("started")} processes and threads, and took ${range("processor")} ms of a processor` };
}
