import { appendFileSync } from "node:fs";
import { basename } from "node:path";
import { threadId } from "node:worker_threads";

/*
 * Where the time of a run goes. Off unless the environment names a file; then each program appends what it did, in the trace event format
 * that Perfetto and Chrome's about:tracing read (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU, "X" events in
 * the array form, whose last bracket may be missing).
 */

/** Names the file. Nothing that a host was told or said is written into it, only names, hosts and times. */
export const traceVariable = "PULUMI_SWARM_TRACE";

/** One thing that took time. */
export interface TraceEvent {
  readonly name: string;
  /** What it is: a phase of the program, a dial, a script on a host, a call of Docker's API, a pause. */
  readonly cat: TraceKind;
  readonly ph: "X";
  /** Microseconds of Unix time. */
  readonly ts: number;
  /** Microseconds. */
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: {
    readonly program: string;
    readonly host?: string;
    /** Most memory that the program had at a time, in MiB; of the program as a whole. */
    readonly memory?: number;
    /** Processor time that the program took, in seconds; of the program as a whole. It says more than its time on a machine that is busy. */
    readonly processor?: number;
  };
}

export type TraceKind = "program" | "phase" | "dial" | "script" | "docker" | "pause";

const file = process.env[traceVariable] || undefined;
const events: TraceEvent[] = [];

/** Measures one piece of work, whether it ends well or not. */
export async function traced<Result>(cat: TraceKind, name: string, host: string | undefined, work: () => Promise<Result>): Promise<Result> {
  if (file === undefined) return work();
  const began = now();
  try {
    return await work();
  } finally {
    note(cat, name, host, began);
  }
}

/** What began at a time that the caller knows, in microseconds of Unix time, and ends now. */
export function note(cat: TraceKind, name: string, host: string | undefined, began: number): void {
  if (file === undefined) return;
  const program = basename(process.argv[1] ?? "node", ".js");
  const dur = Math.max(0, now() - began);
  const args = { program, ...(host !== undefined && { host }), ...(cat === "program" && ofProgram()) };
  events.push({ name, cat, ph: "X", ts: began, dur, pid: process.pid, tid: threadId, args });
}

function ofProgram(): Pick<TraceEvent["args"], "memory" | "processor"> {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  return { memory: Math.round(maxRSS / 1024), processor: (userCPUTime + systemCPUTime) / 1e6 };
}

/** Writes down what was measured. At the end of a program: writing must not be part of what is measured. */
export function writeTrace(): void {
  if (file === undefined || events.length === 0) return;
  try {
    // A comma after each: whoever reads the array form takes it so.
    appendFileSync(
      file,
      events
        .splice(0)
        .map((event) => `${JSON.stringify(event)},\n`)
        .join(""),
    );
  } catch (error) {
    process.stderr.write(`warning: no trace in ${file}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** Microseconds of Unix time, of a clock that does not jump while the program runs. */
export function now(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

/** When this program was started, in microseconds of Unix time. */
export const startedAt = Math.round(performance.timeOrigin * 1000);
