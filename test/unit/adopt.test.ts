import assert from "node:assert/strict";
import { planCluster, type SwarmClusterArgs, weave, wireguard } from "../../components";
import * as existing from "../../components/hosts/existing";
import { dissolveMembership, MembershipRefusal } from "../../components/membership/reconcile";
import { type Roles, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";
import { clientKey } from "./client-key";

const roles: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager", "edge-1": "worker" };

/** A swarm that somebody else formed: no label of ours is on it. */
async function byHand(): Promise<{ readonly program: SimulatedProgram; readonly swarmId: string }> {
  const program = new SimulatedProgram(new SimulatedSwarm(), roles);
  const { error } = await program.run();
  assert.equal(error, undefined);
  const swarmId = program.memory?.swarmId ?? "";
  program.memory = undefined;
  raftOf(program).labels = {};
  for (const member of raftOf(program).members.values()) member.labels = {};
  return { program, swarmId };
}

function raftOf({ swarm }: SimulatedProgram): NonNullable<ReturnType<SimulatedSwarm["machine"]>["raft"]> {
  const { raft } = swarm.machine("control-1");
  assert.ok(raft);
  return raft;
}

async function refusal(program: SimulatedProgram): Promise<string> {
  const { error, calls } = await program.run();
  assert.ok(error instanceof MembershipRefusal, `a refusal was expected, but: ${error?.message ?? "it went through"}`);
  assert.deepEqual(calls.mutations, []);
  return error.message;
}

describe("the adoption of a swarm", () => {
  it("keeps every node, joins nobody, and changes no more than the labels by which its hosts are known", async () => {
    const { program, swarmId } = await byHand();
    const ids = Object.keys(roles).map((key) => program.swarm.machine(key).nodeId);
    const { tokens } = raftOf(program).made;
    program.adopt = swarmId;
    const { error, calls, result } = await program.run();
    assert.equal(error, undefined);
    assert.deepEqual(result?.failures, []);
    assert.deepEqual(
      Object.keys(roles).map((key) => program.swarm.machine(key).nodeId),
      ids,
    );
    assert.equal(result?.swarmId, swarmId);
    // A label is tried again when two are set at once.
    const kinds = [...new Set(calls.mutations.map((call) => call.split(" ")[1]))];
    assert.deepEqual(kinds, ["updateSwarm", "updateNode"], "whose the swarm is now, and labels");
    assert.equal(raftOf(program).made.tokens, tokens, "tokens that somebody else may use stay");
    assert.deepEqual((await program.run()).calls.mutations, [], "a second run changes nothing");
  });

  it("joins a host that is no member yet", async () => {
    const { program, swarmId } = await byHand();
    program.adopt = swarmId;
    program.roles = { ...roles, "edge-2": "worker" };
    program.swarm.provision("edge-2", "edge-2");
    assert.equal((await program.run()).error, undefined);
    assert.deepEqual(program.differences(), []);
  });

  it("is refused for another swarm, for none, and for other roles than the members have", async () => {
    const { program, swarmId } = await byHand();
    program.adopt = "another";
    assert.equal(
      await refusal(program),
      `control-1, control-2, control-3 are in the swarm ${swarmId}, and another is to be adopted. Nothing was changed. Correct adopt.swarmId, or the hosts, and run again.`,
    );
    program.adopt = swarmId;
    program.roles = { ...roles, "control-3": "worker", "edge-1": "manager" };
    const message = await refusal(program);
    assert.match(message, / {2}- control-3: is a manager, to be a worker\n {2}- edge-1: is a worker, to be a manager\n/);
    const nowhere = new SimulatedProgram(new SimulatedSwarm(), roles);
    nowhere.adopt = swarmId;
    assert.match(
      await refusal(nowhere),
      /^None of the hosts is a manager of a swarm, and swarm-1 is to be adopted\. Nothing was changed\. Name its managers/,
    );
  });

  it("ends without an end of the swarm", async () => {
    const { program, swarmId } = await byHand();
    program.adopt = swarmId;
    await program.run();
    const run = program.swarm.begin(Infinity);
    const result = await dissolveMembership(run.access(Object.keys(roles)), program.memory, run.io([]), true);
    assert.deepEqual([result, run.calls.mutations], [{ failures: [], livesOn: false, foreign: [], ours: Object.keys(roles) }, []]);
  });
});

describe("the plan of a cluster that adopts a swarm", () => {
  const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
  const args: SwarmClusterArgs = {
    hosts: { rack: existing.hosts({ role: "manager", privateKey: clientKey, machines: { a: { address: "10.20.0.1", hostKey } } }) },
    firewall: { ssh: ["198.51.100.0/24"] },
  };
  const said = (more: object): string[] =>
    planCluster({ ...args, ...more }).problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}.`);
  const swarmId = "k3zbxm0u4yc2g8w1q9r5t7v6n";

  it("takes the id of a swarm and nothing else", () => {
    assert.deepEqual(said({ adopt: { swarmId } }), []);
    assert.deepEqual(said({ adopt: { swarmId: "prod", dissolve: "no" } }), [
      'adopt.dissolve: "no" is neither true nor false. Fix: write false.',
      `adopt.swarmId: "prod" is not the id of a swarm. Fix: take what "docker info --format '{{.Swarm.Cluster.ID}}'" prints on a manager.`,
    ]);
  });

  it("may have an overlay of its own, for the networks that it makes", () => {
    const { plan, problems } = planCluster({ ...args, adopt: { swarmId }, overlay: weave(), networks: { web: {} } });
    assert.deepEqual([problems, plan.overlay, plan.networks.map(({ name }) => name)], [[], "weave", ["web"]]);
  });

  it("has no tunnel, which would be another address for each member", () => {
    assert.match(
      said({ adopt: { swarmId }, underlay: wireguard() })[0] ?? "",
      /^adopt: the members joined by their own addresses, .*Fix: take underlay: direct\(\)\.$/,
    );
  });
});
