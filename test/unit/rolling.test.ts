import assert from "node:assert/strict";
import { behaviour as hetzner } from "../../components/hosts/hetzner/behaviour";
import { behaviour as aws } from "../../components/hosts/aws/behaviour";
import { stopOf } from "../../components/hosts/cloud/rolling";
import { Turns } from "../../components/hosts/cloud/turns";

/** Hosts whose service is taken and given back when the test says so. */
class Service {
  readonly said: string[] = [];
  readonly broken = new Map<string, string>();

  next([first]: readonly string[]): Promise<string | undefined> {
    return Promise.resolve(first);
  }

  leave(host: string): Promise<void> {
    return this.say(`${host} leaves`);
  }

  enter(host: string): Promise<void> {
    return this.say(`${host} enters`);
  }

  private async say(what: string): Promise<void> {
    this.said.push(what);
    await new Promise((resolve) => setImmediate(resolve));
    const reason = this.broken.get(what);
    if (reason !== undefined) throw new Error(reason);
  }
}

const atOnce = { gathering: 0 };
const hosts = ["control-1", "control-2", "edge-1"];

/** As an engine does that begins all updates at once. @returns what each host's update was told */
async function update(turns: Turns, service: Service, failing: readonly string[] = []): Promise<Record<string, string>> {
  const told = hosts.map(async (host): Promise<[string, string]> => {
    try {
      await turns.begin(host, "stopped");
    } catch (error) {
      return [host, (error as Error).message];
    }
    service.said.push(`${host} is changed`);
    await new Promise((resolve) => setImmediate(resolve));
    return [host, (await turns.end(host, failing.includes(host) ? "not changed" : "changed")) ?? "done"];
  });
  return Object.fromEntries(await Promise.all(told));
}

describe("machines that are stopped to be changed", () => {
  it("are stopped one at a time, each between leaving and entering the swarm", async () => {
    const service = new Service();
    const told = await update(new Turns(service, atOnce), service);
    assert.deepEqual(
      service.said,
      hosts.flatMap((host) => [`${host} leaves`, `${host} is changed`, `${host} enters`]),
    );
    assert.deepEqual(Object.values(told), ["done", "done", "done"]);
  });

  it("are not begun after one that did not come back, which is named with its reason and what to do", async () => {
    const service = new Service();
    service.broken.set("control-1 enters", "control-1: cannot be reached over SSH at swarm@192.0.2.1:22 within 75 s: connection refused.");
    const told = await update(new Turns(service, atOnce), service);
    assert.deepEqual(service.said, ["control-1 leaves", "control-1 is changed", "control-1 enters"]);
    assert.equal(
      told["control-1"],
      "control-1 was stopped to be changed, and is not back in the swarm: cannot be reached over SSH at swarm@192.0.2.1:22 within 75 s: connection refused. " +
        "No other host was begun. Fix: see at the provider's console whether the machine has started and what it says, then run again.",
    );
    for (const other of ["control-2", "edge-1"]) {
      assert.equal(told[other], `${other} was not changed, because control-1 is not back in the swarm. Fix control-1, then run again`);
    }
  });

  it("are not begun after one that could not be drained", async () => {
    const service = new Service();
    service.broken.set("control-1 leaves", "none of the managers can be asked");
    const told = await update(new Turns(service, atOnce), service);
    assert.deepEqual(service.said, ["control-1 leaves"]);
    assert.equal(told["control-1"], "control-1 was not stopped: none of the managers can be asked");
    assert.match(told["edge-1"] ?? "", /^edge-1 was not changed, because control-1 could not be drained\. Fix control-1, then run again$/);
  });

  it("are not begun after one that its provider did not change, which enters the swarm again all the same", async () => {
    const service = new Service();
    const told = await update(new Turns(service, atOnce), service, ["control-1"]);
    assert.deepEqual(service.said, ["control-1 leaves", "control-1 is changed", "control-1 enters"]);
    assert.match(told["control-2"] ?? "", /^control-2 was not changed, because control-1 was not changed by its provider\. /);
  });

  it("do not wait for ever for one of which nothing is heard, and each that waits is told which one it is", async () => {
    const turns = new Turns(new Service(), { longest: 20, ...atOnce });
    await turns.begin("control-1", "stopped");
    const others = await Promise.allSettled(["control-2", "edge-1"].map((host) => turns.begin(host, "stopped")));
    assert.deepEqual(
      others.map((one) => (one.status === "rejected" ? (one.reason as Error).message : "begun")),
      ["control-2", "edge-1"].map(
        (host) => `${host} was not changed, because control-1 has had its turn for 0 minutes and is not back. Fix control-1, then run again`,
      ),
    );
  });

  it("each have the whole time from their own turn on, however long the others took", async () => {
    const clock = new Clock();
    try {
      const service = new Service();
      const turns = new Turns(service);
      const told: string[] = [];
      const many = Array.from({ length: 12 }, (_, index) => `edge-${index + 1}`);
      const updates = many.map(async (host) => {
        await turns.begin(host, "stopped");
        // Three minutes each, as a type change takes: twelve of them are 36.
        await clock.after(3 * 60_000);
        told.push(`${host} ${(await turns.end(host, "changed")) ?? "done"}`);
      });
      await clock.run(Promise.all(updates));
      assert.deepEqual(
        told,
        many.map((host) => `${host} done`),
      );
    } finally {
      clock.restore();
    }
  });
});

describe("an update of a machine", () => {
  const server = hetzner["hcloud:index/server:Server"];
  const instance = aws["aws:ec2/instance:Instance"];

  it("stops it or cuts its power as the table of behaviour says, and else leaves it running", () => {
    const was = { serverType: "cx23", labels: { a: "1" }, publicNets: [{ ipv4: 1, __defaults: [] }] };
    assert.equal(stopOf(server, { oldInputs: was, newInputs: { ...was, serverType: "cx33" } }), "powered off");
    assert.equal(stopOf(server, { oldInputs: was, newInputs: { ...was, labels: {} } }), undefined);
    assert.equal(stopOf(server, { oldInputs: was, newInputs: { ...was, publicNets: [{ ipv4: 1 }] } }), undefined, "only the engine's own note");
    assert.equal(stopOf(instance, { oldInputs: { instanceType: "t3.medium" }, newInputs: { instanceType: "m7i.large" } }), "stopped");
    assert.equal(
      stopOf(instance, { oldInputs: { rootBlockDevice: { volumeSize: 20 } }, newInputs: { rootBlockDevice: { volumeSize: 30 } } }),
      undefined,
    );
  });
});

/** Timers that elapse when the test says so, in the order of their times. */
class Clock {
  private readonly real = { set: globalThis.setTimeout, clear: globalThis.clearTimeout };
  private readonly due = new Map<object, { readonly at: number; readonly call: () => void }>();
  private now = 0;

  constructor() {
    const set = (call: () => void, after = 0): object => {
      const timer = { unref: () => timer };
      this.due.set(timer, { at: this.now + after, call });
      return timer;
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: (timer: object) => this.due.delete(timer) });
  }

  after(time: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, time));
  }

  /** Lets time pass until the work is done. */
  async run(work: Promise<unknown>): Promise<void> {
    let done = false;
    const end = work.finally(() => (done = true));
    while (!done) {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      const [first] = [...this.due].sort(([, one], [, other]) => one.at - other.at);
      if (first === undefined) continue;
      this.due.delete(first[0]);
      this.now = first[1].at;
      first[1].call();
    }
    await end;
  }

  restore(): void {
    Object.assign(globalThis, { setTimeout: this.real.set, clearTimeout: this.real.clear });
  }
}
