import assert from "node:assert/strict";
import { Control } from "../../components/membership/control";
import type { HostFailure } from "../../components/membership/types";
import { defaultLimits } from "../../components/membership/types";
import { walk, type Walked, type WalkWork } from "../../components/walk";
import { mostAway, nextTurn, planTurns, type WalkHost } from "../../components/walk/plan";
import { Interrupted, type Roles, type SimulatedRun, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

const five: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager", "edge-1": "worker", "edge-2": "worker" };

/** A formed swarm of engines that have a version, and get another one by a walk. */
class Cluster {
  readonly swarm = new SimulatedSwarm();
  readonly program: SimulatedProgram;
  readonly versions = new Map<string, number>();
  /** In the order in which engines were restarted. */
  readonly restarted: string[] = [];
  /** Most workers that were away at once. */
  mostAway = 0;
  /** Hosts whose engine does not come back. */
  readonly dead = new Set<string>();
  /** Hosts on which the new engine does not start, so that the old one is back. */
  readonly stubborn = new Set<string>();
  /** Hosts that the managers take for down until their engine restarts once more. */
  readonly mistaken = new Set<string>();
  /** Hosts to which no packet passes. */
  readonly silent = new Set<string>();
  drain = true;
  workersAway = 0.1;

  constructor(readonly roles: Roles = five) {
    this.program = new SimulatedProgram(this.swarm, roles);
    for (const key of Object.keys(roles)) this.versions.set(key, 1);
  }

  async form(options: SimulatedProgram["options"] = {}): Promise<this> {
    this.program.options = options;
    const { error } = await this.program.run();
    assert.equal(error, undefined);
    return this;
  }

  get leader(): string {
    const { raft } = this.swarm.machine("control-1");
    const node = raft && this.swarm.view(raft).find(({ leader }) => leader);
    return [...this.swarm.machines.values()].find(({ nodeId }) => nodeId === node?.id)?.key ?? "";
  }

  availability(key: string): string {
    const { raft, nodeId } = this.swarm.machine(key);
    return (raft && this.swarm.view(raft).find(({ id }) => id === nodeId)?.availability) ?? "none";
  }

  setAvailability(key: string, availability: "active" | "pause" | "drain"): void {
    const member = this.swarm.memberOf(this.swarm.machine(key));
    if (member) member.availability = availability;
  }

  /** Walks over all hosts that have the old version still. */
  async walk(run: SimulatedRun = this.swarm.begin()): Promise<Walked> {
    const limits = { ...defaultLimits, drain: 30_000 };
    const control = new Control(run.io(), limits);
    for (const [key, role] of Object.entries(this.roles)) {
      const machine = this.swarm.machine(key);
      if (role === "manager" && machine.up && machine.state === "active") control.add(machine.nodeId, this.swarm.api(key, run));
    }
    const work: WalkWork = {
      control,
      io: run.io(),
      limits,
      drain: this.drain,
      rules: { workersAway: this.workersAway },
      workers: Object.keys(this.roles).filter((key) => this.roles[key] === "worker"),
      prove: (keys): Promise<readonly HostFailure[]> => {
        run.check();
        return Promise.resolve(
          keys.filter((key) => this.silent.has(key)).map((host) => ({ host, reason: "no packet of the overlay comes back from control-1" })),
        );
      },
    };
    const hosts = Object.entries(this.roles).filter(([key]) => this.versions.get(key) === 1);
    return walk(
      hosts.map(([key, role]) => ({
        key,
        role,
        api: () => this.swarm.api(key, run),
        restart: () => this.restartAgain(key, run),
        errands: [{ what: "version 1 to 2", run: () => this.upgrade(key, run) }],
      })),
      work,
    );
  }

  private async restartAgain(key: string, run: SimulatedRun): Promise<void> {
    run.check();
    await this.swarm.clock.sleep(3_000);
    this.swarm.revive(key);
    this.restarted.push(`${key} again`);
  }

  /** The engine is away for a while, and all that is looked at meanwhile must hold. */
  private async upgrade(key: string, run: SimulatedRun): Promise<void> {
    const machine = this.swarm.machine(key);
    const member = this.swarm.memberOf(machine) ?? assert.fail(`${key} is no member`);
    run.check();
    if (this.drain && this.swarm.tasksOf(member) > 0) this.swarm.violations.push(`${key} is restarted with ${this.swarm.tasksOf(member)} tasks`);
    if (member.votes && machine.raft) this.swarm.guardQuorum(machine.raft, member, "is restarted");
    this.restarted.push(key);
    this.swarm.kill(key);
    const away = Object.keys(this.roles).filter(
      (each) => this.roles[each] === "worker" && (!this.swarm.machine(each).up || this.availability(each) !== "active"),
    );
    this.mostAway = Math.max(this.mostAway, away.length);
    await this.swarm.clock.sleep(20_000);
    if (this.dead.has(key)) throw new Error("its Docker does not answer");
    this.swarm.revive(key);
    this.swarm.reboot(key);
    if (this.mistaken.has(key)) Object.assign(member, { goneAt: this.swarm.clock.now(), noticedAfter: 0 });
    if (this.stubborn.has(key)) throw new Error("its Docker was not replaced: the version before was put back and runs");
    this.versions.set(key, 2);
    run.check();
  }
}

const hosts = (roles: Roles): WalkHost[] => Object.entries(roles).map(([key, role]) => ({ key, role }));
const keysOf = (turns: readonly (readonly WalkHost[])[]): string[][] => turns.map((turn) => turn.map(({ key }) => key));

describe("the order of a walk", () => {
  const eight: Roles = { ...five, "edge-3": "worker", "edge-4": "worker", "edge-5": "worker" };

  it("has one worker first, the others as many at once as may be away, then the managers, and the leader last", () => {
    assert.deepEqual(keysOf(planTurns(hosts(eight), { workersAway: 0.4 }, { workers: 5, leader: "control-1" })), [
      ["edge-1"],
      ["edge-2", "edge-3"],
      ["edge-4", "edge-5"],
      ["control-2"],
      ["control-3"],
      ["control-1"],
    ]);
  });

  it("takes a share of the whole cluster's workers, rounded down, and one at least", () => {
    for (const [workers, share, most] of [
      [5, 0.1, 1],
      [20, 0.1, 2],
      [29, 0.1, 2],
      [3, 1, 3],
      [0, 0.5, 1],
    ] as const)
      assert.equal(mostAway(workers, { workersAway: share }), most, `${share} of ${workers}`);
  });

  it("counts workers that are out of service anyway", () => {
    const turn = (away: number): string[] =>
      nextTurn(hosts(eight), { workersAway: 0.6 }, { workers: 5, away, leader: "control-1" }, false).map(({ key }) => key);
    assert.deepEqual(turn(0), ["edge-1", "edge-2", "edge-3"]);
    assert.deepEqual(turn(2), ["edge-1"]);
    assert.deepEqual(turn(4), ["edge-1"], "it must end some time");
  });

  it("goes on where nobody leads, or the leader has nothing to be done", () => {
    assert.deepEqual(keysOf(planTurns(hosts(five), { workersAway: 0.1 }, { workers: 2, leader: undefined })).slice(2), [
      ["control-1"],
      ["control-2"],
      ["control-3"],
    ]);
  });
});

describe("a walk over a swarm", () => {
  it("drains, changes and takes back each host, with the quorum kept, the leader last and no more workers away than may be", async () => {
    for (const { roles, share, most } of [
      { roles: five, share: 0.1, most: 1 },
      { roles: { ...five, "edge-3": "worker", "edge-4": "worker", "edge-5": "worker" } as const, share: 0.4, most: 2 },
    ]) {
      const cluster = new Cluster(roles);
      cluster.workersAway = share;
      await cluster.form();
      for (const key of Object.keys(roles)) cluster.swarm.giveTasks(key, 3);
      const { leader } = cluster;
      const { done, failures, left } = await cluster.walk();
      assert.deepEqual([[...done].sort(), failures, left], [[...cluster.restarted].sort(), [], []]);
      assert.deepEqual([...cluster.restarted].sort(), Object.keys(roles).sort());
      assert.equal(cluster.restarted.at(-1), leader);
      assert.match(cluster.restarted[0] ?? "", /^edge/);
      assert.equal(cluster.mostAway, most);
      assert.deepEqual(cluster.swarm.violations, []);
      assert.deepEqual(cluster.program.differences(), []);
      assert.deepEqual((await cluster.program.run()).calls.mutations, [], "an up after that changes nothing");
    }
  });

  it("leaves a host drained or paused where a person made it so", async () => {
    const cluster = await new Cluster().form();
    cluster.setAvailability("edge-1", "drain");
    cluster.setAvailability("control-2", "pause");
    assert.deepEqual((await cluster.walk()).failures, []);
    assert.equal(cluster.availability("edge-1"), "drain");
    assert.equal(cluster.availability("control-2"), "pause");
    assert.equal(cluster.availability("edge-2"), "active");
  });

  it("drains nobody where it is told so", async () => {
    const cluster = await new Cluster().form();
    cluster.drain = false;
    const run = cluster.swarm.begin();
    assert.deepEqual((await cluster.walk(run)).failures, []);
    assert.deepEqual(run.calls.mutations, []);
    assert.equal(cluster.restarted.length, 5);
    assert.deepEqual(cluster.swarm.violations, []);
  });

  it("stops at the first host that does not come back, and the next run goes on when it is fixed", async () => {
    const cluster = await new Cluster().form();
    cluster.dead.add("edge-2");
    const { done, failures, left } = await cluster.walk();
    assert.deepEqual(done, ["edge-1"]);
    assert.deepEqual(left, ["control-1", "control-2", "control-3"]);
    assert.equal(failures.length, 1);
    assert.equal(failures[0]?.host, "edge-2");
    assert.match(failures[0]?.reason ?? "", /^its Docker does not answer\. It is not back in the swarm: its engine does not answer \(waited 60 s\)$/);
    assert.deepEqual(cluster.restarted, ["edge-1", "edge-2"]);
    assert.equal(cluster.availability("edge-1"), "active");
    cluster.dead.clear();
    cluster.swarm.revive("edge-2");
    await cluster.program.run();
    assert.equal(cluster.availability("edge-2"), "active", "it is taken back: it was we who drained it");
    assert.deepEqual((await cluster.walk()).failures, []);
    assert.deepEqual(cluster.restarted, ["edge-1", "edge-2", "edge-2", "control-2", "control-3", "control-1"]);
    assert.deepEqual(cluster.program.differences(), []);
  });

  it("stops at a manager that does not come back, with the quorum kept by the others", async () => {
    const cluster = await new Cluster().form();
    cluster.dead.add("control-2");
    const { failures, left } = await cluster.walk();
    assert.deepEqual([failures.map(({ host }) => host), left], [["control-2"], ["control-1", "control-3"]]);
    assert.deepEqual(cluster.swarm.violations, []);
    // Somebody says that nothing is to be done to the dead one any more.
    cluster.versions.set("control-2", 2);
    assert.deepEqual(cluster.restarted, ["edge-1", "edge-2", "control-2"]);
    const [refused] = (await cluster.walk()).failures;
    assert.match(
      refused?.reason ?? "",
      /^could not be taken out of service: control-\d is a manager, and without it the 3 managers would lose their majority of 2: control-2 cannot/,
    );
    assert.deepEqual(cluster.restarted, ["edge-1", "edge-2", "control-2"]);
    assert.deepEqual(cluster.swarm.violations, []);
  });

  it("stops where the work failed, and gives the host back to the swarm if its engine runs", async () => {
    const cluster = await new Cluster().form();
    cluster.stubborn.add("edge-1");
    const { done, failures, left } = await cluster.walk();
    assert.deepEqual([done, left], [[], ["control-1", "control-2", "control-3", "edge-2"]]);
    assert.deepEqual(failures, [
      { host: "edge-1", reason: "its Docker was not replaced: the version before was put back and runs. It is back in the swarm" },
    ]);
    assert.equal(cluster.availability("edge-1"), "active");
    assert.deepEqual(cluster.program.differences(), []);
  });

  it("restarts an engine that is back, and down to the managers all the same, and goes on", async () => {
    const cluster = await new Cluster().form();
    cluster.mistaken.add("control-2");
    assert.deepEqual((await cluster.walk()).failures, []);
    assert.deepEqual(cluster.restarted, ["edge-1", "edge-2", "control-2", "control-2 again", "control-3", "control-1"]);
    assert.ok(cluster.swarm.progress.includes("control-2: is a member by its own account, but down to the managers: restarting Docker"));
    assert.deepEqual(cluster.program.differences(), []);
  });

  it("stops where no packet passes to a host that is back, and leaves it drained until the next run", async () => {
    const cluster = await new Cluster().form();
    cluster.silent.add("edge-1");
    const { failures } = await cluster.walk();
    assert.deepEqual(failures, [
      { host: "edge-1", reason: "its engine is back, but not its network: no packet of the overlay comes back from control-1" },
    ]);
    assert.equal(cluster.availability("edge-1"), "drain");
    await cluster.program.run();
    assert.deepEqual(cluster.program.differences(), []);
  });

  it("unlocks managers that are locked when their engines start", async () => {
    const cluster = await new Cluster().form({ autolock: true });
    assert.deepEqual((await cluster.walk()).failures, []);
    assert.deepEqual(cluster.program.differences(), []);
    assert.equal(cluster.restarted.length, 5);
  });

  it("says of the only manager that nothing can be changed meanwhile, and goes on", async () => {
    const cluster = await new Cluster({ "control-1": "manager", "edge-1": "worker" }).form();
    assert.deepEqual((await cluster.walk()).failures, []);
    assert.ok(cluster.swarm.progress.some((line) => line.includes("until it is back, the swarm can be changed by nobody")));
    assert.deepEqual(cluster.program.differences(), []);
  });
});

describe("a walk over hosts with services", () => {
  const six: Roles = { ...five, "edge-3": "worker" };
  const startsIn = 25_000;

  /** When each host was drained, in this order. */
  function drains({ swarm, roles }: Cluster): number[] {
    return Object.keys(roles)
      .map((key) => swarm.memberOf(swarm.machine(key))?.drainedAt ?? 0)
      .sort((one, other) => one - other);
  }

  it("takes no host, in the same turn neither, before the tasks of the one before run elsewhere", async () => {
    const cluster = await new Cluster(six).form();
    cluster.workersAway = 1;
    cluster.swarm.services = () => {
      const moving = cluster.swarm.clock.now() < Math.max(...drains(cluster)) + startsIn;
      return [{ id: "service-1", name: "web", running: moving ? 2 : 3, desired: 3 }];
    };
    assert.deepEqual((await cluster.walk()).failures, []);
    assert.equal(cluster.mostAway, 2, "the first worker goes alone, the other two side by side");
    const times = drains(cluster);
    for (const [index, at] of times.slice(1).entries()) assert.ok(at >= (times[index] ?? 0) + startsIn, `${index}: ${times.join()}`);
  });

  it("waits once for services that lack tasks anyway, names them, and goes on without the rest", async () => {
    const cluster = await new Cluster().form();
    cluster.swarm.services = () => [
      { id: "service-1", name: "web", running: 2, desired: 3 },
      { id: "service-2", name: "batch", running: 0, desired: 1 },
      { id: "service-3", name: "api", running: 2, desired: 1 },
    ];
    const began = cluster.swarm.clock.now();
    assert.deepEqual((await cluster.walk()).failures, []);
    assert.equal(cluster.restarted.length, 5);
    const said = cluster.swarm.progress.filter((line) => line.includes("tasks; going on"));
    assert.deepEqual(said, ["warning: after 30 s, web runs 2 of 3 tasks, batch runs 0 of 1 tasks; going on without the rest"]);
    assert.ok(cluster.swarm.clock.now() - began < 5 * 30_000 + 30_000, "once, not for each host");
  });

  it("begins no other host of a turn after one that could not be taken out of service, and leaves those as they are", async () => {
    const cluster = await new Cluster(six).form();
    cluster.workersAway = 1;
    let asked = 0;
    cluster.swarm.services = () => {
      if (++asked === 2) throw new Error("edge-2: Docker refused GET /services: rpc error: code = Internal");
      return [];
    };
    const { done, failures, left } = await cluster.walk();
    assert.deepEqual(done, ["edge-1"]);
    assert.deepEqual(failures, [
      { host: "edge-2", reason: "could not be taken out of service: edge-2: Docker refused GET /services: rpc error: code = Internal" },
    ]);
    assert.deepEqual(left, ["control-1", "control-2", "control-3", "edge-3"]);
    assert.deepEqual(cluster.program.differences(), []);
  });
});

describe("a walk that is cut off after any of its changes", () => {
  it("is finished by the next run, with nobody left drained and the quorum kept", async function () {
    this.timeout(30_000);
    for (let changes = 1; ; changes++) {
      const cluster = await new Cluster().form();
      for (const key of Object.keys(five)) cluster.swarm.giveTasks(key, 2);
      cluster.setAvailability("edge-2", "pause");
      const run = cluster.swarm.begin(changes);
      const cut = await cluster.walk(run).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (cut !== undefined && !(cut instanceof Interrupted)) throw cut;
      const whole = !run.cutOff;
      // Whatever was on its way goes on where it was cut off.
      await cluster.swarm.clock.sleep(60_000);
      for (const key of Object.keys(five)) if (!cluster.swarm.machine(key).up) cluster.swarm.revive(key);
      if (!whole) {
        assert.deepEqual((await cluster.program.run()).result?.failures, []);
        assert.deepEqual((await cluster.walk()).failures, [], `after ${changes} changes: ${run.calls.mutations.join("; ")}`);
      }
      assert.deepEqual([...cluster.versions.values()], [2, 2, 2, 2, 2], `after ${changes} changes`);
      assert.deepEqual(cluster.swarm.violations, []);
      assert.equal(cluster.availability("edge-2"), "pause", `after ${changes} changes: ${run.calls.mutations.join("; ")}`);
      cluster.setAvailability("edge-2", "active");
      assert.deepEqual(cluster.program.differences(), [], `after ${changes} changes: ${run.calls.mutations.join("; ")}`);
      assert.deepEqual((await cluster.program.run()).calls.mutations, [], `a run after that, with ${changes} changes before the cut`);
      if (whole) {
        assert.ok(changes > 8, "there was something to interrupt");
        return;
      }
    }
  });
});
