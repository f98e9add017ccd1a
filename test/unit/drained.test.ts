import assert from "node:assert/strict";
import type { SwarmNode } from "../../components/membership/swarm-api";
import { type Roles, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

const roles: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager", "edge-1": "worker", "edge-2": "worker" };

async function formed(): Promise<SimulatedProgram> {
  const program = new SimulatedProgram(new SimulatedSwarm(), roles);
  assert.equal((await program.run()).error, undefined);
  return program;
}

function node({ swarm }: SimulatedProgram, key: string): SwarmNode {
  const { raft, nodeId } = swarm.machine(key);
  return (raft ? swarm.view(raft) : []).find(({ id }) => id === nodeId) ?? assert.fail(`no node of ${key}`);
}

function setByHand({ swarm }: SimulatedProgram, key: string, availability: SwarmNode["availability"]): void {
  const member = swarm.memberOf(swarm.machine(key));
  if (member) member.availability = availability;
}

describe("a host that the program drains", () => {
  it("is drained until its tasks are gone, stays so, and gets back what it was before", async () => {
    for (const was of ["active", "pause"] as const) {
      const program = await formed();
      setByHand(program, "edge-2", was);
      program.swarm.giveTasks("edge-2", 3);
      program.drained = ["edge-2"];
      await program.run();
      assert.deepEqual(program.differences(), []);
      assert.ok(program.swarm.progress.includes("edge-2: drained, waiting for 3 tasks to move"));
      assert.deepEqual((await program.run()).calls.mutations, [], "no run undoes it, or does it again");
      assert.ok(!program.swarm.progress.some((line) => line.includes("somebody set its availability") && line.includes("drain")));
      program.drained = [];
      await program.run();
      assert.equal(node(program, "edge-2").availability, was);
      assert.deepEqual(Object.keys(node(program, "edge-2").labels), ["pulumi-swarm.host"]);
    }
  });

  it("is drained again where somebody undid it", async () => {
    const program = await formed();
    program.drained = ["edge-2"];
    await program.run();
    setByHand(program, "edge-2", "active");
    await program.run();
    assert.deepEqual(program.differences(), []);
  });

  it("stays drained afterwards where a person had drained it before", async () => {
    const program = await formed();
    setByHand(program, "edge-2", "drain");
    program.drained = ["edge-2"];
    await program.run();
    program.drained = [];
    await program.run();
    assert.equal(node(program, "edge-2").availability, "drain");
  });

  it("is drained by the next run where one was cut off after any of its changes, and likewise given back", async () => {
    for (const [first, then] of [
      [[], ["edge-2", "control-3"]],
      [["edge-2", "control-3"], []],
    ] as const) {
      for (let changes = 1; ; changes++) {
        const program = await formed();
        program.drained = first;
        await program.run();
        program.drained = then;
        const cut = await program.run(changes);
        if (cut.error !== undefined || cut.result?.failures.length !== 0) await program.run();
        assert.deepEqual(program.differences(), [], `after ${changes} changes`);
        if (cut.error === undefined && cut.result?.failures.length === 0) {
          assert.ok(changes > 1, "there was something to interrupt");
          break;
        }
      }
    }
  });
});
