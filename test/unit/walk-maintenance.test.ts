import assert from "node:assert/strict";
import { errandsOf } from "../../components/agents/phases/errands";
import type { Ready } from "../../components/agents/phases/engines";
import { type AskedMaintenance, doneMaintenance, dueMaintenance, type SeenMaintenance } from "../../components/maintenance/due";
import { Control } from "../../components/membership/control";
import { defaultLimits } from "../../components/membership/types";
import { NotBack, walk, type Walked } from "../../components/walk";
import { Interrupted, type Roles, type SimulatedRun, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

const five: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager", "edge-1": "worker", "edge-2": "worker" };

/** What a machine keeps of its maintenance, as `maintenance.sh` does it. */
class Machine {
  starts = 1;
  upgrades = 0;
  private asked: { readonly at: number; readonly text: string } | undefined;
  private packages: string | null = null;
  /** Whether its updates need a reboot. */
  required = false;

  get seen(): SeenMaintenance {
    const rebooted = this.asked && this.asked.at !== this.starts ? this.asked.text : null;
    return { boot: `b-${this.starts}`, rebooted, packages: this.packages, required: this.required ? "libc6" : "" };
  }

  upgrade(text: string): void {
    this.packages = text;
    this.upgrades += 1;
    this.required = true;
  }

  begin(text: string | undefined): void {
    if (text !== undefined) this.asked = { at: this.starts, text };
  }

  start(): void {
    this.starts += 1;
    this.required = false;
  }
}

/** A formed swarm whose program asks for maintenance. */
class Cluster {
  readonly swarm = new SimulatedSwarm();
  readonly program = new SimulatedProgram(this.swarm, five);
  readonly machines = new Map(Object.keys(five).map((key) => [key, new Machine()]));
  /** Machines that go down and do not come up. */
  readonly dead = new Set<string>();

  async form(): Promise<this> {
    assert.equal((await this.program.run()).error, undefined);
    for (const key of Object.keys(five)) this.swarm.giveTasks(key, 2);
    return this;
  }

  machine(key: string): Machine {
    return this.machines.get(key) ?? assert.fail(key);
  }

  /** What each machine was through: its starts after the first, and its upgrades. */
  get history(): Record<string, readonly [reboots: number, upgrades: number]> {
    return Object.fromEntries([...this.machines].map(([key, { starts, upgrades }]) => [key, [starts - 1, upgrades] as const]));
  }

  async walk(maintenance: AskedMaintenance, run: SimulatedRun = this.swarm.begin()): Promise<Walked> {
    const limits = { ...defaultLimits, drain: 30_000 };
    const control = new Control(run.io(), limits);
    for (const [key, role] of Object.entries(five)) {
      const { up, state, nodeId } = this.swarm.machine(key);
      if (role === "manager" && up && state === "active") control.add(nodeId, this.swarm.api(key, run));
    }
    const hosts = Object.entries(five).flatMap(([key, role]) => {
      const { seen } = this.machine(key);
      const host = this.ready(key, { due: dueMaintenance(seen, maintenance), done: doneMaintenance(seen) }, run);
      const work = { request: { engine: { version: "29" }, maintenance }, learn: () => {}, reboot: (text?: string) => this.reboot(key, text, run) };
      const errands = errandsOf({ host, packages: 5 }, work);
      return errands.length === 0 ? [] : [{ key, role, api: () => this.swarm.api(key, run), restart: () => Promise.resolve(), errands }];
    });
    const workers = Object.keys(five).filter((key) => five[key] === "worker");
    const prove = (): Promise<[]> => (run.check(), Promise.resolve([]));
    return walk(hosts, { control, io: run.io(), limits, drain: true, rules: { workersAway: 0.1 }, workers, prove });
  }

  private ready(key: string, maintenance: Ready["maintenance"], run: SimulatedRun): Ready {
    const script = async (_text: string, { TEXT = '""' }: Record<string, string>, { verb }: { readonly verb: string }): Promise<unknown> => {
      run.check();
      await this.swarm.clock.sleep(5_000);
      if (verb === "look") return this.machine(key).seen;
      this.machine(key).upgrade(JSON.parse(TEXT) as string);
      run.changed(`${key} ${verb}`);
      return {};
    };
    return { key, session: { script }, maintenance } as unknown as Ready;
  }

  /** The machine goes down and up, whoever waits for it. */
  private async reboot(key: string, text: string | undefined, run: SimulatedRun): Promise<void> {
    run.check();
    const machine = this.machine(key);
    const member = this.swarm.memberOf(this.swarm.machine(key)) ?? assert.fail(`${key} is no member`);
    if (this.swarm.tasksOf(member) > 0) this.swarm.violations.push(`${key} is rebooted with ${this.swarm.tasksOf(member)} tasks`);
    if (member.votes && this.swarm.machine(key).raft) this.swarm.guardQuorum(this.swarm.machine(key).raft ?? assert.fail(), member, "is rebooted");
    const before = machine.seen.boot;
    machine.begin(text);
    void this.restart(key);
    run.changed(`${key} reboot`);
    for (let seconds = 0; machine.seen.boot === before; seconds++) {
      if (seconds > 120) throw new NotBack("rebooted, and is not back after 120 s: no answer");
      await this.swarm.clock.sleep(1_000);
      run.check();
    }
  }

  private async restart(key: string): Promise<void> {
    await this.swarm.clock.sleep(2_000);
    this.swarm.kill(key);
    await this.swarm.clock.sleep(20_000);
    if (!this.dead.has(key)) this.revive(key);
  }

  revive(key: string): void {
    this.machine(key).start();
    this.swarm.revive(key);
    this.swarm.reboot(key);
  }
}

const all = (reboots: number, upgrades: number): Record<string, readonly [number, number]> =>
  Object.fromEntries(Object.keys(five).map((key) => [key, [reboots, upgrades]]));

describe("maintenance by a walk", () => {
  it("upgrades and reboots each host once for each text, drained, with the quorum kept", async () => {
    const cluster = await new Cluster().form();
    for (const [maintenance, history] of [
      [{ reboot: "2026-12", packages: "2026-12" }, all(1, 1)],
      [{ reboot: "2026-12", packages: "2026-12" }, all(1, 1)],
      [{ reboot: "2026-12", packages: "2027-01" }, all(1, 2)],
      // The upgrade before needs it.
      [{ reboot: "if required", packages: "2027-01" }, all(2, 2)],
      [{ reboot: "if required", packages: "2027-01" }, all(2, 2)],
      [{ reboot: "if required", packages: "2027-02" }, all(3, 3)],
      [{}, all(3, 3)],
    ] as const) {
      assert.deepEqual((await cluster.walk(maintenance)).failures, []);
      assert.deepEqual(cluster.history, history, JSON.stringify(maintenance));
      assert.deepEqual(cluster.swarm.violations, []);
      assert.deepEqual(cluster.program.differences(), []);
    }
  });

  it("stops at a host that does not come back, without waiting for its engine, and does not reboot it again once somebody has started it", async () => {
    const cluster = await new Cluster().form();
    cluster.dead.add("edge-2");
    const { done, failures, left } = await cluster.walk({ reboot: "2026-12" });
    assert.deepEqual([done, left], [["edge-1"], ["control-1", "control-2", "control-3"]]);
    assert.deepEqual(failures, [{ host: "edge-2", reason: "rebooted, and is not back after 120 s: no answer" }]);
    cluster.dead.clear();
    cluster.revive("edge-2");
    await cluster.program.run();
    assert.deepEqual((await cluster.walk({ reboot: "2026-12" })).failures, []);
    assert.deepEqual(cluster.history, all(1, 0));
    assert.deepEqual(cluster.program.differences(), []);
  });

  for (const maintenance of [
    { reboot: "2026-12", packages: "2026-12" },
    { reboot: "if required", packages: "2026-12" },
  ])
    it(`that is cut off after any of its changes is finished by the next run, nothing done twice: ${JSON.stringify(maintenance)}`, async function () {
      this.timeout(60_000);
      for (let changes = 1; ; changes++) {
        const cluster = await new Cluster().form();
        const run = cluster.swarm.begin(changes);
        const cut = await cluster.walk(maintenance, run).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (cut !== undefined && !(cut instanceof Interrupted)) throw cut;
        const whole = !run.cutOff;
        // A machine that was on its way down comes up.
        await cluster.swarm.clock.sleep(60_000);
        const said = `after ${changes} changes: ${run.calls.mutations.join("; ")}`;
        if (!whole) {
          assert.deepEqual((await cluster.program.run()).result?.failures, [], said);
          assert.deepEqual((await cluster.walk(maintenance)).failures, [], said);
        }
        assert.deepEqual(cluster.history, all(1, 1), said);
        assert.deepEqual(cluster.swarm.violations, [], said);
        assert.deepEqual(cluster.program.differences(), [], said);
        assert.deepEqual((await cluster.program.run()).calls.mutations, [], said);
        if (whole) {
          assert.ok(changes > 15, "there was something to interrupt");
          return;
        }
      }
    });
});
