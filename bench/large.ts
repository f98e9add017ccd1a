import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TraceEvent, traceVariable } from "../components/trace";
import { readTrace } from "../components/trace/table";
import { run, type Stack } from "../tools/lab/pulumi";
import { describeMachines, folder, freshStack, type Machines, reset, runBench, startMachines, withMachines } from "./machines";

/*
 * Many hosts that really run here, each a container with systemd, sshd and Docker: npm run bench:large -- 10 30 60 100
 * Of each size: the first up, one without a change, an edit of a rule, ten hosts more and less, a setting for which each engine restarts, one
 * after the other, and a destroy. Time and memory of the
 * program on hosts are those of its own trace; "wall" is what a person waits.
 */

const sizes = process.argv.slice(2).map(Number).filter(Boolean);
const more = 10;
const trace = join(folder, "large.json");
const results = join(folder, process.env["BENCH_UNDERLAY"] === "wireguard" ? "large-wireguard.json" : "large.result.json");

export interface Result {
  readonly hosts: number;
  readonly what: string;
  readonly wall: number;
  /** Seconds of the program that works on hosts. */
  readonly program: number;
  /** MiB. */
  readonly memory: number;
}

const done: Result[] = [];

async function step(hosts: number, what: string, work: () => Promise<{ code: number; stdout: string; stderr: string }>): Promise<void> {
  rmSync(trace, { force: true });
  const began = Date.now();
  const { code, stdout, stderr } = await work();
  const wall = (Date.now() - began) / 1000;
  if (code !== 0) throw new Error(`${what} of ${hosts} hosts failed after ${wall} s:\n${stdout}\n${stderr}`);
  const programs = programsOf().filter(({ args: { program } }) => program.startsWith("swarm-"));
  const program = programs.reduce((sum, { dur }) => sum + dur / 1e6, 0);
  const memory = Math.max(0, ...programs.map(({ args }) => args.memory ?? 0));
  done.push({ hosts, what, wall, program, memory });
  process.stdout.write(
    `${String(hosts).padStart(4)} hosts  ${what.padEnd(16)} ${wall.toFixed(1).padStart(7)} s  ${program.toFixed(1).padStart(7)} s  ${String(memory).padStart(5)} MiB\n`,
  );
}

function programsOf(): TraceEvent[] {
  try {
    return readTrace(readFileSync(trace, "utf8")).filter(({ cat }) => cat === "program");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Limits of the whole machine, which a hundred machines in one share. */
async function raiseLimits(): Promise<void> {
  const limits = [
    "fs.inotify.max_user_instances=8192",
    "fs.inotify.max_user_watches=1048576",
    "net.ipv4.neigh.default.gc_thresh3=65536",
    "kernel.pid_max=262144",
  ];
  const { code, stderr } = await run("sysctl", [
    "-q",
    "-w",
    ...limits,
    "net.ipv4.neigh.default.gc_thresh2=32768",
    "net.ipv4.neigh.default.gc_thresh1=16384",
  ]);
  if (code !== 0) process.stdout.write(`limits of this machine stay as they are: ${stderr}`);
}

async function bench(stack: Stack, machines: Machines, size: number): Promise<void> {
  await freshStack(stack);
  await stack.setConfig({ "bench:underlay": process.env["BENCH_UNDERLAY"] ?? "direct", "bench:expose": "{}", "bench:settings": "{}" });
  await describeMachines(stack, machines, size);
  await step(size, "up", () => stack.up());
  await step(size, "nothing to do", () => stack.up());
  await stack.setConfig({ "bench:expose": JSON.stringify({ web: { port: 8080, from: ["world"] } }) });
  await step(size, "edit of a rule", () => stack.up());
  await describeMachines(stack, machines, size + more);
  await step(size, `${more} more`, () => stack.up());
  await describeMachines(stack, machines, size);
  await step(size, `${more} less`, () => stack.up());
  await stack.setConfig({ "bench:settings": JSON.stringify({ "max-concurrent-downloads": 4 }) });
  await step(size, "rolling restart", () => stack.up());
  await step(size, "destroy", () => stack.destroy());
  await reset(machines);
}

/** As many machines as a size needs: idle ones would take their share of the processors. */
async function grow({ names, shell }: Machines, count: number): Promise<Machines> {
  shell.close();
  const began = Date.now();
  const machines = await startMachines(count, names.length);
  process.stdout.write(`${count} machines run Docker; ${count - names.length} of them took ${Math.round((Date.now() - began) / 1000)} s\n`);
  return machines;
}

runBench(async () => {
  process.env[traceVariable] = trace;
  await raiseLimits();
  await withMachines(1, async (stack, first) => {
    process.stdout.write(`${"".padEnd(29)} ${"wall".padStart(7)}    ${"program".padStart(7)}\n`);
    let machines = first;
    try {
      for (const size of [...sizes].sort((one, other) => one - other)) {
        machines = await grow(machines, size + more);
        await bench(stack, machines, size);
      }
    } finally {
      machines.shell.close();
      writeFileSync(results, JSON.stringify(done, undefined, 2));
    }
  });
});
