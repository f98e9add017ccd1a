import assert from "node:assert/strict";
import { SwarmService } from "../../components/agents/service";
import { Turns } from "../../components/hosts/cloud/turns";
import type { HostService } from "../../components/hosts/host";
import { type Aside, type AsideWork, comeBack, stepAside } from "../../components/membership/aside";
import { Control, messageOf } from "../../components/membership/control";
import { defaultLimits } from "../../components/membership/types";
import { walk } from "../../components/walk";
import { Services } from "../../components/walk/services";
import { type Roles, type SimulatedRun, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

/** In the order of a program, in which managers stand first. */
const roles: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager", "edge-1": "worker", "edge-2": "worker" };
const keys = Object.keys(roles);

/** A formed swarm whose hosts are all stopped for a while: by a walk, or by their provider that changes their machines. */
class Cluster {
  readonly swarm = new SimulatedSwarm();
  readonly program = new SimulatedProgram(this.swarm, roles);
  /** In the order in which they were stopped. */
  readonly stopped: string[] = [];
  /** Hosts that do not come back. */
  readonly dead = new Set<string>();
  private readonly run: SimulatedRun = this.swarm.begin();

  async form(): Promise<this> {
    assert.equal((await this.program.run()).error, undefined);
    return this;
  }

  /** Of a host's node, at this moment. */
  member(key: string): NonNullable<ReturnType<SimulatedSwarm["memberOf"]>> {
    return this.swarm.memberOf(this.swarm.machine(key)) ?? assert.fail(`${key} is no member`);
  }

  get leader(): string {
    const { raft } = this.swarm.machine("control-1");
    const node = raft && this.swarm.view(raft).find(({ leader }) => leader);
    return keys.find((key) => this.swarm.machine(key).nodeId === node?.id) ?? "";
  }

  work(): AsideWork {
    const limits = { ...defaultLimits, drain: 30_000, ready: 60_000 };
    const control = new Control(this.run.io(), limits);
    for (const key of keys) {
      const machine = this.swarm.machine(key);
      if (roles[key] === "manager" && machine.up && machine.state === "active") control.add(machine.nodeId, this.swarm.api(key, this.run));
    }
    return { control, io: this.run.io(), limits };
  }

  api(key: string): ReturnType<SimulatedSwarm["api"]> {
    return this.swarm.api(key, this.run);
  }

  /** What is done to a host while it is out of service. */
  async stop(key: string): Promise<void> {
    const [machine, member] = [this.swarm.machine(key), this.member(key)];
    if (this.swarm.tasksOf(member) > 0) this.swarm.violations.push(`${key} is stopped with ${this.swarm.tasksOf(member)} tasks`);
    if (member.votes && machine.raft) this.swarm.guardQuorum(machine.raft, member, "is stopped");
    if (keys.some((each) => !this.swarm.machine(each).up)) this.swarm.violations.push(`${key} is stopped while another one is away`);
    this.stopped.push(key);
    this.swarm.kill(key);
    await this.swarm.clock.sleep(20_000);
    if (this.dead.has(key)) throw new Error("its engine does not answer");
    this.swarm.revive(key);
    this.swarm.reboot(key);
  }
}

/** @returns what was said of the first host that failed. */
type Way = (cluster: Cluster) => Promise<string>;

const byWalk: Way = async (cluster) => {
  const work = {
    ...cluster.work(),
    drain: true,
    rules: { workersAway: 0.1 },
    workers: keys.filter((key) => roles[key] === "worker"),
    prove: () => Promise.resolve([]),
  };
  const hosts = keys.map((key) => ({
    key,
    role: roles[key] ?? "worker",
    api: () => cluster.api(key),
    restart: () => Promise.resolve(),
    errands: [{ what: "a stop", run: () => cluster.stop(key) }],
  }));
  const { failures } = await walk(hosts, work);
  return failures.map(({ host, reason }) => `${host}: ${reason}`).join();
};

/** The service of the package's own, but for how it reaches hosts. */
class Service implements HostService {
  private readonly services = new Services();
  private readonly asides = new Map<string, Aside>();
  private readonly order: SwarmService;

  constructor(private readonly cluster: Cluster) {
    this.order = new SwarmService(
      () => Promise.resolve([]),
      { reachableSeconds: 1, drainSeconds: 1 },
      () => {},
      () => Promise.resolve(cluster.leader),
    );
  }

  next(waiting: readonly string[]): Promise<string | undefined> {
    return this.order.next(waiting.map((key) => ({ key, role: roles[key] ?? "worker" })));
  }

  async leave(key: string): Promise<void> {
    const work = this.cluster.work();
    await this.services.whole(work);
    this.asides.set(key, (await stepAside(key, work)) ?? assert.fail(`${key} is a member`));
  }

  async enter(key: string): Promise<void> {
    const aside = this.asides.get(key) ?? assert.fail(`${key} did not leave`);
    await comeBack(key, aside, () => Promise.resolve(this.cluster.api(key)), this.cluster.work());
  }
}

/** As the engine does, which begins all updates of machines side by side. */
const byProvider: Way = async (cluster) => {
  const turns = new Turns(new Service(cluster), { gathering: 0 });
  const said = keys.map(async (key) => {
    try {
      await turns.begin(key, "stopped");
    } catch (error) {
      return /was not changed, because/.test(messageOf(error)) ? [] : [messageOf(error)];
    }
    const wrong = await cluster.stop(key).then(
      () => undefined,
      () => undefined,
    );
    return [(await turns.end(key, "changed")) ?? wrong ?? []].flat();
  });
  return (await Promise.all(said)).flat().join();
};

const ways: Readonly<Record<string, Way>> = { "a walk over hosts": byWalk, "a change of machines by their provider": byProvider };

for (const [way, go] of Object.entries(ways)) {
  describe(`the rules of ${way}`, () => {
    it("workers are stopped first, then the managers, and who leads last", async () => {
      const cluster = await new Cluster().form();
      const { leader } = cluster;
      assert.equal(await go(cluster), "");
      const managers = keys.filter((key) => roles[key] === "manager" && key !== leader);
      assert.deepEqual(cluster.stopped, ["edge-1", "edge-2", ...managers, leader]);
    });

    it("each is drained before, no other one is away meanwhile, and the managers keep their majority", async () => {
      const cluster = await new Cluster().form();
      for (const key of keys) cluster.swarm.giveTasks(key, 3);
      assert.equal(await go(cluster), "");
      assert.equal(cluster.stopped.length, 5);
      assert.deepEqual(cluster.swarm.violations, []);
      assert.deepEqual(cluster.program.differences(), []);
    });

    it("who was drained or paused by a person stays so, and all others get back what they had", async () => {
      const cluster = await new Cluster().form();
      cluster.member("edge-1").availability = "drain";
      cluster.member("control-2").availability = "pause";
      assert.equal(await go(cluster), "");
      assert.deepEqual(
        keys.map((key) => cluster.member(key).availability),
        ["active", "pause", "active", "drain", "active"],
      );
    });

    it("nobody is taken before the tasks of the one before run elsewhere", async () => {
      const cluster = await new Cluster().form();
      const drains = (): number[] => keys.map((key) => cluster.member(key).drainedAt ?? 0).sort((one, other) => one - other);
      const startsIn = 25_000;
      cluster.swarm.services = () => {
        const moving = cluster.swarm.clock.now() < Math.max(...drains()) + startsIn;
        return [{ id: "service-1", name: "web", running: moving ? 2 : 3, desired: 3 }];
      };
      assert.equal(await go(cluster), "");
      const times = drains();
      for (const [index, at] of times.slice(1).entries()) assert.ok(at >= (times[index] ?? 0) + startsIn, `${index}: ${times.join()}`);
    });

    it("nobody is begun after one that does not come back, which is named", async () => {
      const cluster = await new Cluster().form();
      cluster.dead.add("edge-2");
      assert.match(await go(cluster), /^edge-2.* not back in the swarm: its engine does not answer/);
      assert.deepEqual(cluster.stopped, ["edge-1", "edge-2"]);
    });

    it("a manager without which the others would lose their majority is not begun", async () => {
      const cluster = await new Cluster().form();
      cluster.swarm.kill("control-3");
      await cluster.swarm.clock.sleep(60_000);
      assert.match(await go(cluster), /control-\d.* is a manager, and without it the 3 managers would lose their majority of 2: control-3 cannot/);
      assert.deepEqual(
        cluster.swarm.violations.filter((violation) => !violation.includes("another one is away")),
        [],
      );
    });
  });
}
