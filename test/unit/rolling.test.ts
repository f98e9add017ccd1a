import assert from "node:assert/strict";
import { Turns } from "../../components/hosts/cloud/rolling";

/** Hosts whose service is taken and given back when the test says so. */
class Service {
  readonly said: string[] = [];
  readonly broken = new Map<string, string>();

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

const hosts = ["control-1", "control-2", "edge-1"];

/** As an engine does that begins all updates at once. @returns what each host's update was told */
async function update(turns: Turns, service: Service, failing: readonly string[] = []): Promise<Record<string, string>> {
  const told = hosts.map(async (host): Promise<[string, string]> => {
    try {
      await turns.begin(host);
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
    const told = await update(new Turns(service), service);
    assert.deepEqual(
      service.said,
      hosts.flatMap((host) => [`${host} leaves`, `${host} is changed`, `${host} enters`]),
    );
    assert.deepEqual(Object.values(told), ["done", "done", "done"]);
  });

  it("are not begun after one that did not come back, which is named with its reason and what to do", async () => {
    const service = new Service();
    service.broken.set("control-1 enters", "control-1: cannot be reached over SSH at swarm@192.0.2.1:22 within 75 s: connection refused.");
    const told = await update(new Turns(service), service);
    assert.deepEqual(service.said, ["control-1 leaves", "control-1 is changed", "control-1 enters"]);
    assert.equal(
      told["control-1"],
      "control-1 was stopped to be changed, and is not back in the swarm: cannot be reached over SSH at swarm@192.0.2.1:22 within 75 s: connection refused. " +
        "No other host was begun. Fix: see at the provider's console whether the machine has started and what it says, then run again.",
    );
    for (const other of ["control-2", "edge-1"]) {
      assert.equal(told[other], `${other} was not begun, since control-1 is not as it should be. Run again when that is mended`);
    }
  });

  it("are not begun after one that could not be drained", async () => {
    const service = new Service();
    service.broken.set("control-1 leaves", "none of the managers can be asked");
    const told = await update(new Turns(service), service);
    assert.deepEqual(service.said, ["control-1 leaves"]);
    assert.equal(told["control-1"], "control-1 was not stopped: none of the managers can be asked");
    assert.match(told["edge-1"] ?? "", /^edge-1 was not begun, since control-1 /);
  });

  it("are not begun after one that its provider did not change, which enters the swarm again all the same", async () => {
    const service = new Service();
    const told = await update(new Turns(service), service, ["control-1"]);
    assert.deepEqual(service.said, ["control-1 leaves", "control-1 is changed", "control-1 enters"]);
    assert.match(told["control-2"] ?? "", /^control-2 was not begun, since control-1 /);
  });

  it("do not wait for ever for one of which nothing is heard", async () => {
    const turns = new Turns(new Service(), 20);
    await turns.begin("control-1");
    await assert.rejects(turns.begin("control-2"), /^Error: control-2 was not begun, since control-1 is not as it should be/);
  });
});
