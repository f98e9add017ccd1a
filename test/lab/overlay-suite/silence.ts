import assert from "node:assert/strict";
import { docker } from "../../../tools/lab/machines";
import { eventually } from "../../../tools/lab/cluster";
import type { Name, SuiteCluster } from "./cluster";
import { addressOf, reaches } from "./containers";

/** Seconds between two packets. */
const interval = 0.02;

export interface Silence {
  readonly sent: number;
  readonly lost: number;
  /** Longest time without an answer, in seconds. */
  readonly longest: number;
}

/** Pings from a container on one host to a container on another, fifty times a second, while some work is done, and until it answers again. */
export async function silenceDuring(cluster: SuiteCluster, from: Name, to: Name, work: () => Promise<unknown>): Promise<Silence> {
  const address = await addressOf(cluster, to);
  const file = `/run/lab-ping-${to}`;
  const pid = await cluster.on(from, "docker inspect --format '{{.State.Pid}}' probe-web");
  const ping = `echo $$ >${file}.pid; exec nsenter -t ${pid} -n ping -n -i ${interval} ${address} >${file} 2>&1`;
  await docker("exec", "--detach", cluster.host(from).machine, "sh", "-c", ping);
  await eventually("answers come", 20, () => cluster.on(from, `grep -m 1 icmp_seq ${file}`));
  try {
    await work();
    await eventually(`${to} answers ${from} afterwards`, 60, async () => ((await reaches(cluster, from, address)) ? true : undefined));
    // Answers of the pinging itself, beside those of the look.
    const seen = Number(await cluster.on(from, `wc -l <${file}`));
    await eventually("answers come again", 60, async () => (Number(await cluster.on(from, `wc -l <${file}`)) > seen + 5 ? true : undefined));
  } finally {
    await cluster.on(from, `kill -INT $(cat ${file}.pid); rm ${file}.pid`);
  }
  return measured(await cluster.on(from, `cat ${file}`));
}

/** What a log of `ping` says, up to its last answer. */
export function measured(log: string): Silence {
  const numbers = [...new Set([...log.matchAll(/bytes from .* icmp_seq=(\d+) /g)].map(([, number]) => Number(number)))].sort(
    (one, other) => one - other,
  );
  const [first = 0, last = 0] = [numbers[0], numbers.at(-1)];
  const sent = last - first + 1;
  assert.ok(sent > 20, `only ${sent} packets: ${log.slice(-500)}`);
  const gaps = numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0) - 1);
  return { sent, lost: sent - numbers.length, longest: Math.max(0, ...gaps) * interval };
}

/** @param limit longest silence in seconds; 0: no packet is lost */
export function assertQuietFor(what: string, { sent, lost, longest }: Silence, limit: number): void {
  process.stdout.write(`      ${what}: ${lost} of ${sent} packets lost, silent for ${longest.toFixed(2)} s at most\n`);
  if (limit === 0) assert.equal(lost, 0, `${what}: ${lost} of ${sent} packets lost`);
  else assert.ok(longest <= limit, `${what}: silent for ${longest} s`);
}

/** Two hosts do not notice what happens to a third one. */
export async function othersDuring(
  cluster: SuiteCluster,
  what: string,
  [from, to]: readonly [Name, Name],
  work: () => Promise<unknown>,
): Promise<void> {
  assertQuietFor(`${what}: ${from} to ${to}`, await silenceDuring(cluster, from, to, work), cluster.overlay.others);
}
