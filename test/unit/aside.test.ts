import assert from "node:assert/strict";
import { type Aside, type AsideWork, comeBack, mustDoWithout, stepAside } from "../../components/membership/aside";
import { Control } from "../../components/membership/control";
import { MembershipRefusal } from "../../components/membership/reconcile";
import type { SwarmNode } from "../../components/membership/swarm-api";
import { defaultLimits } from "../../components/membership/types";
import { type Roles, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

const threeAndOne: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager", "edge-1": "worker" };

/** A formed swarm, worked on by the managers that are up. */
class Cluster {
  readonly swarm = new SimulatedSwarm();
  readonly program: SimulatedProgram;

  constructor(roles: Roles = threeAndOne) {
    this.program = new SimulatedProgram(this.swarm, roles);
  }

  async form(): Promise<this> {
    const { error } = await this.program.run();
    assert.equal(error, undefined);
    return this;
  }

  work(): AsideWork {
    const run = this.swarm.begin();
    const limits = { ...defaultLimits, drain: 30_000 };
    const control = new Control(run.io(), limits);
    for (const [key, role] of Object.entries(this.program.roles)) {
      const machine = this.swarm.machine(key);
      if (role === "manager" && machine.up && machine.state === "active") control.add(machine.nodeId, this.swarm.api(key, run));
    }
    return { control, io: run.io(), limits };
  }

  leave(key: string): Promise<Aside | undefined> {
    return stepAside(key, this.work());
  }

  enter(key: string, aside: Aside): Promise<void> {
    return comeBack(key, aside, () => Promise.resolve(this.swarm.api(key, this.swarm.begin())), this.work());
  }

  node(key: string): SwarmNode {
    const { raft } = this.swarm.machine(key);
    const nodes = raft ? this.swarm.view(raft) : [];
    return nodes.find(({ id }) => id === this.swarm.machine(key).nodeId) ?? assert.fail(`no node of ${key}`);
  }
}

describe("a member whose machine is stopped for a while", () => {
  it("is drained until its tasks are gone, and is what it was before when it is back", async () => {
    const cluster = await new Cluster().form();
    cluster.swarm.giveTasks("edge-1", 3);
    const aside = (await cluster.leave("edge-1")) ?? assert.fail("it is a member");
    assert.equal(cluster.node("edge-1").availability, "drain");
    assert.ok(cluster.swarm.progress.includes("edge-1: drained, waiting for 3 tasks to move"));
    cluster.swarm.kill("edge-1");
    cluster.swarm.revive("edge-1");
    await cluster.enter("edge-1", aside);
    assert.equal(cluster.node("edge-1").availability, "active");
    assert.deepEqual(Object.keys(cluster.node("edge-1").labels), ["pulumi-swarm.host"]);
    assert.deepEqual(cluster.program.differences(), []);
  });

  it("stays drained or paused where somebody had made it so", async () => {
    const cluster = await new Cluster().form();
    for (const availability of ["drain", "pause"] as const) {
      await cluster.work().control.call((manager) => manager.updateNode(cluster.node("edge-1").id, { availability }));
      const aside = (await cluster.leave("edge-1")) ?? assert.fail("it is a member");
      await cluster.enter("edge-1", aside);
      assert.equal(cluster.node("edge-1").availability, availability);
    }
  });

  it("is put back by the next one's turn, or by the next up that looks at the hosts, where a run was cut off", async () => {
    const cluster = await new Cluster().form();
    await cluster.leave("edge-1");
    await cluster.leave("control-2");
    assert.equal(cluster.node("edge-1").availability, "active");
    await cluster.program.run();
    assert.equal(cluster.node("control-2").availability, "active");
    assert.deepEqual(cluster.program.differences(), []);
    assert.ok(cluster.swarm.progress.includes("control-2: was drained for a change of its machine, and is taken back"));
  });

  it("is nothing to the swarm when it is no member of it", async () => {
    const cluster = await new Cluster().form();
    cluster.swarm.provision("edge-2");
    assert.equal(await cluster.leave("edge-2"), undefined);
  });

  it("is refused, before anything is changed, where the other managers would lose their majority", async () => {
    const cluster = await new Cluster().form();
    cluster.swarm.kill("control-3");
    await cluster.swarm.clock.sleep(60_000);
    await assert.rejects(cluster.leave("control-1"), (error: Error) => {
      assert.ok(error instanceof MembershipRefusal);
      assert.match(
        error.message,
        /control-1 is a manager, and without it the 3 managers would lose their majority of 2: control-3 cannot be reached/,
      );
      assert.match(error.message, /Fix: bring them back or take them out first, then run again$/);
      return true;
    });
    assert.equal(cluster.node("control-1").availability, "active");
    assert.ok(await cluster.leave("control-3"), "the dead one itself may be changed");
  });

  it("is refused to become another one, alone or with others, where the managers would lose their majority, unless it is dead", async () => {
    const cluster = await new Cluster().form();
    const nodes = async (): ReturnType<Control["nodes"]> => cluster.work().control.nodes();
    mustDoWithout(["control-1"], await nodes());
    mustDoWithout(["edge-1", "nobody"], await nodes());
    const two = /^control-1, control-2 are managers, and without them the 3 managers would lose their majority of 2$/;
    const all = await nodes();
    assert.throws(() => mustDoWithout(["control-1", "control-2"], all), { name: "MembershipRefusal", message: two });
    cluster.swarm.kill("control-3");
    await cluster.swarm.clock.sleep(60_000);
    const one = /^control-1 is a manager, and without it the 3 managers would lose their majority of 2: control-3 cannot be reached by the others$/;
    const left = await nodes();
    assert.throws(() => mustDoWithout(["control-1"], left), { name: "MembershipRefusal", message: one });
    mustDoWithout(["control-3"], left);
  });

  it("is stopped with a warning where it is one of two managers", async () => {
    const cluster = await new Cluster({ "control-1": "manager", "control-2": "manager" }).form();
    assert.ok(await cluster.leave("control-2"));
    assert.match(cluster.swarm.progress.join("\n"), /control-2: warning: until it is back, the swarm can be changed by nobody/);
  });

  it("is unlocked where managers are locked", async () => {
    const cluster = new Cluster();
    cluster.program.options = { autolock: true };
    await cluster.form();
    const aside = (await cluster.leave("control-2")) ?? assert.fail("it is a member");
    cluster.swarm.reboot("control-2");
    await cluster.enter("control-2", aside);
    assert.equal(cluster.swarm.machine("control-2").state, "active");
    assert.equal(cluster.node("control-2").availability, "active");
  });

  it("is reported with what is wrong when it does not come back, and is not left drained", async () => {
    const cluster = await new Cluster().form();
    const aside = (await cluster.leave("control-2")) ?? assert.fail("it is a member");
    cluster.swarm.kill("control-2");
    await assert.rejects(cluster.enter("control-2", aside), /^Error: its engine does not answer \(waited 60 s\)$/);
    assert.equal(cluster.node("control-2").availability, "active");
  });
});
