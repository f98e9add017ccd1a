import assert from "node:assert/strict";
import type { TraceEvent, TraceKind } from "../../components/trace";
import { readTrace, traceTable } from "../../components/trace/table";

const second = 1e6;

function event(cat: TraceKind, name: string, from: number, to: number, host?: string, program = "swarm-up", pid = 1): TraceEvent {
  return { name, cat, ph: "X", ts: from * second, dur: (to - from) * second, pid, tid: 0, args: { program, ...(host !== undefined && { host }) } };
}

const events = [
  event("program", "run", 10, 14),
  event("phase", "load", 10, 10.2),
  event("dial", "ssh", 10.2, 10.5, "a"),
  event("dial", "ssh", 10.25, 10.6, "b"),
  event("docker", "GET /info", 10.6, 10.605, "a"),
  event("dial", "ssh", 12, 12.1, "a"),
  event("program", "run", 14.5, 15, undefined, "network-up", 2),
];

describe("A trace", () => {
  it("is shown as what took time on how many hosts, program by program", () => {
    assert.equal(
      traceTable(events),
      [
        "swarm-up: began after 0.00 s, took 4.00 s, 2 hosts",
        "    0.00    0.20  phase   load",
        "    0.20    0.40  dial    ssh  2 times, longest 0.35 on b",
        "    2.00    0.10  dial    ssh  1 time, longest 0.10 on a",
        "",
        "network-up: began after 4.50 s, took 0.50 s, no hosts",
        "",
      ].join("\n"),
    );
  });

  it("says how much memory and processor time a program took", () => {
    const [run, ...others] = events;
    assert.ok(run);
    const whole = { ...run, args: { ...run.args, memory: 64, processor: 0.734 } };
    assert.equal(traceTable([whole, ...others]).split("\n")[0], "swarm-up: began after 0.00 s, took 4.00 s (0.73 s of a processor), 2 hosts, 64 MiB");
  });

  it("is read in whatever order programs wrote it, with or without the array's brackets", () => {
    const lines = [...events].reverse().map((each) => `${JSON.stringify(each)},\n`);
    assert.equal(traceTable(readTrace(`[\n${lines.join("")}`)), traceTable(events));
    assert.equal(traceTable(readTrace(lines.join(""))), traceTable(events));
  });

  it("that is no trace is named by its line", () => {
    assert.throws(() => readTrace(`${JSON.stringify(events[0])},\nPulumi says:\n`), /line 2 is no event of a trace/);
    assert.throws(() => readTrace('{"name": 1}\n'), /line 1 is no event of a trace/);
  });

  it("of a run in which no program worked is said to be empty", () => assert.match(traceTable([]), /no program worked on hosts/));
});
