import assert from "node:assert/strict";
import { Pace, type PaceClock } from "../../components/agents/pace";

/** A clock that moves only when a test says so. */
class FakeClock implements PaceClock {
  private time = 0;
  private readonly timers = new Set<{ next: number; readonly step: number; readonly tick: () => void }>();

  now(): number {
    return this.time;
  }

  every(step: number, tick: () => void): () => void {
    const timer = { next: this.time + step, step, tick };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  passes(seconds: number): void {
    const until = this.time + seconds * 1000;
    for (;;) {
      const next = [...this.timers].sort((one, other) => one.next - other.next)[0];
      if (!next || next.next > until) break;
      this.time = next.next;
      next.next += next.step;
      next.tick();
    }
    this.time = until;
  }

  get running(): number {
    return this.timers.size;
  }
}

function setUp(): { readonly clock: FakeClock; readonly pace: Pace; readonly lines: string[] } {
  const clock = new FakeClock();
  const lines: string[] = [];
  return { clock, lines, pace: new Pace((line) => lines.push(line), clock) };
}

const keys = (count: number): string[] => Array.from({ length: count }, (_, place) => `edge-${place + 1}`);

describe("a wait", () => {
  it("that ends within three seconds is not told", () => {
    const { clock, pace, lines } = setUp();
    const wait = pace.wait("control-1", "SSH", 75_000);
    clock.passes(2.9);
    wait.end();
    clock.passes(60);
    assert.deepEqual(lines, []);
    assert.equal(clock.running, 0, "nobody looks at the time any more");
  });

  it("says for what, how long so far, the limit and what was seen last, every five seconds", () => {
    const { clock, pace, lines } = setUp();
    const wait = pace.wait("control-1", "SSH", 75_000);
    clock.passes(4);
    wait.seen("connection refused");
    clock.passes(10);
    wait.end();
    assert.deepEqual(lines, [
      "control-1: waiting for SSH: 3 of 75 s",
      "control-1: waiting for SSH: 8 of 75 s (connection refused)",
      "control-1: waiting for SSH: 13 of 75 s (connection refused)",
    ]);
  });

  it("of a thousand hosts for the same thing is one line, with the time of the host that waits longest", () => {
    const { clock, pace, lines } = setUp();
    pace.wait("edge-1", "SSH", 75_000);
    clock.passes(1);
    for (const key of keys(1000).slice(1)) pace.wait(key, "SSH", 75_000);
    clock.passes(8);
    assert.deepEqual(lines, [
      "waiting for SSH on edge-1, edge-2, edge-3 and 997 more: 3 of 75 s",
      "waiting for SSH on edge-1, edge-2, edge-3 and 997 more: 8 of 75 s",
    ]);
  });

  it("is told less often the longer it lasts: twenty minutes are some sixty lines", () => {
    const { clock, pace, lines } = setUp();
    pace.wait(undefined, "the managers to elect a leader", 1_200_000);
    clock.passes(1200);
    assert.ok(lines.length > 50 && lines.length < 70, `${lines.length} lines`);
    assert.equal(lines[0], "waiting for the managers to elect a leader: 3 of 1200 s");
  });

  it("that begins again and again is told every five seconds at most", () => {
    const { clock, pace, lines } = setUp();
    for (let time = 0; time < 5; time += 1) {
      const wait = pace.wait(`edge-${time}`, "its tasks to move", 120_000);
      clock.passes(4);
      wait.end();
    }
    assert.deepEqual(
      lines.map((line) => line.slice(0, 6)),
      ["edge-0", "edge-1", "edge-3", "edge-4"],
    );
  });
});

describe("work on many hosts", () => {
  it("is counted while it lasts, with what failed and who is still to come", () => {
    const { clock, pace, lines } = setUp();
    const count = pace.count("Docker ready", keys(40));
    for (const key of keys(3)) count.ended(key, true);
    clock.passes(5);
    for (const key of keys(38).slice(3)) count.ended(key, key !== "edge-7");
    clock.passes(5);
    count.end();
    clock.passes(100);
    assert.deepEqual(lines, [
      "3 of 40 hosts: Docker ready (5 s; not yet: edge-4, edge-5, edge-6 and 34 more)",
      "37 of 40 hosts: Docker ready, 1 failed (10 s; not yet: edge-39, edge-40)",
    ]);
    assert.equal(clock.running, 0);
  });

  it("is not counted again while nothing of it changes and the waits say why", () => {
    const { clock, pace, lines } = setUp();
    const count = pace.count("reached", keys(3));
    pace.wait("edge-3", "SSH", 75_000);
    count.ended("edge-1", true);
    clock.passes(7);
    count.ended("edge-2", true);
    clock.passes(11);
    assert.deepEqual(lines, [
      "edge-3: waiting for SSH: 3 of 75 s",
      "1 of 3 hosts: reached (5 s; not yet: edge-2, edge-3)",
      "edge-3: waiting for SSH: 8 of 75 s",
      "2 of 3 hosts: reached (10 s; not yet: edge-3)",
      "edge-3: waiting for SSH: 13 of 75 s",
      "edge-3: waiting for SSH: 18 of 75 s",
    ]);
  });

  it("is not counted in public where it is quick", () => {
    const { clock, pace, lines } = setUp();
    const count = pace.count("reached", keys(3));
    clock.passes(2);
    for (const key of keys(3)) count.ended(key, true);
    count.end();
    clock.passes(10);
    assert.deepEqual(lines, []);
  });
});
