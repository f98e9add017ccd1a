import type { TraceEvent } from ".";

/** The same thing, done on some hosts at about the same time. */
interface Row {
  readonly cat: TraceEvent["cat"];
  readonly name: string;
  readonly began: number;
  readonly events: readonly TraceEvent[];
}

/** What a trace says, a line for each thing that took time, in the order in which they began. Times are seconds. */
export function traceTable(events: readonly TraceEvent[], leastSeconds = 0.01): string {
  if (events.length === 0) return "The trace is empty: no program worked on hosts.\n";
  const zero = Math.min(...events.map(({ ts }) => ts));
  const programs = [...new Set(events.map(({ pid }) => pid))].map((pid) => events.filter((event) => event.pid === pid));
  programs.sort((a, b) => startOf(a) - startOf(b));
  return programs.map((own) => program(own, zero, leastSeconds)).join("\n");
}

/** @throws Error that says what the text is not. */
export function readTrace(text: string): TraceEvent[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && line.trim() !== "[");
  return lines.map((line, index) => {
    const event = parsed(line.replace(/,$/, ""));
    if (event === undefined) throw new Error(`line ${index + 1} is no event of a trace`);
    return event;
  });
}

function parsed(line: string): TraceEvent | undefined {
  try {
    const event = JSON.parse(line) as Partial<TraceEvent>;
    return typeof event.ts === "number" && typeof event.dur === "number" && event.args !== undefined ? (event as TraceEvent) : undefined;
  } catch {
    return undefined;
  }
}

function program(events: readonly TraceEvent[], zero: number, least: number): string {
  const whole = events.find(({ cat }) => cat === "program");
  const began = startOf(events);
  const took = whole?.dur ?? endOf(events) - began;
  const hosts = counted(new Set(events.flatMap(({ args: { host } }) => host ?? [])).size, "host");
  const { memory: most, processor: worked } = whole?.args ?? {};
  const memory = most === undefined ? "" : `, ${most} MiB`;
  const processor = worked === undefined ? "" : ` (${worked.toFixed(2)} s of a processor)`;
  const head = `${events[0]?.args.program ?? ""}: began after ${seconds(began - zero)} s, took ${seconds(took)} s${processor}, ${hosts}${memory}\n`;
  const shown = rows(events.filter(({ cat }) => cat !== "program")).filter((row) => endOf(row.events) - row.began >= least * 1e6);
  return head + shown.map((row) => describe(row, began)).join("");
}

/** Events of one name that overlap, or follow each other with nothing else between. */
function rows(events: readonly TraceEvent[]): Row[] {
  const open = new Map<string, { cat: TraceEvent["cat"]; name: string; began: number; ended: number; events: TraceEvent[] }>();
  const all: Row[] = [];
  for (const event of [...events].sort((a, b) => a.ts - b.ts)) {
    const kind = `${event.cat} ${event.name}`;
    const last = open.get(kind);
    if (last && event.ts <= last.ended) {
      last.events.push(event);
      last.ended = Math.max(last.ended, event.ts + event.dur);
    } else {
      const row = { cat: event.cat, name: event.name, began: event.ts, ended: event.ts + event.dur, events: [event] };
      open.set(kind, row);
      all.push(row);
    }
  }
  return all;
}

function describe({ cat, name, began, events }: Row, zero: number): string {
  const longest = events.reduce((a, b) => (b.dur > a.dur ? b : a));
  const where = longest.args.host === undefined ? "" : `  ${counted(events.length, "time")}, longest ${seconds(longest.dur)} on ${longest.args.host}`;
  const span = `${seconds(began - zero).padStart(8)} ${seconds(endOf(events) - began).padStart(7)}`;
  return `${span}  ${cat.padEnd(6)}  ${name}${where}\n`;
}

function counted(count: number, thing: string): string {
  return `${count === 0 ? "no" : count} ${thing}${count === 1 ? "" : "s"}`;
}

function startOf(events: readonly TraceEvent[]): number {
  return Math.min(...events.map(({ ts }) => ts));
}

function endOf(events: readonly TraceEvent[]): number {
  return Math.max(...events.map(({ ts, dur }) => ts + dur));
}

function seconds(microseconds: number): string {
  return (microseconds / 1e6).toFixed(2);
}
