import assert from "node:assert/strict";
import { dissolveMembership, MembershipRefusal } from "../../components/membership/reconcile";
import { type Roles, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

const three: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager" };
const threeAndTwo: Roles = { ...three, "edge-1": "worker", "edge-2": "worker" };

function managers(count: number, workers = 0): Roles {
  const roles: Record<string, "manager" | "worker"> = {};
  for (let place = 1; place <= count; place++) roles[`control-${place}`] = "manager";
  for (let place = 1; place <= workers; place++) roles[`edge-${place}`] = "worker";
  return roles;
}

async function formed(roles: Roles): Promise<SimulatedProgram> {
  const program = new SimulatedProgram(new SimulatedSwarm(), roles);
  await mustConverge(program);
  return program;
}

/** One run brings it there, a second one has nothing left to do. */
async function mustConverge(program: SimulatedProgram): Promise<void> {
  const { error, result } = await program.run();
  assert.equal(error, undefined);
  assert.deepEqual(result?.failures, []);
  await mustBeDone(program);
}

async function mustBeDone(program: SimulatedProgram): Promise<void> {
  assert.deepEqual(program.differences(), []);
  const again = await program.run();
  assert.equal(again.error, undefined);
  assert.deepEqual(again.calls.mutations, [], "a second run changes nothing");
  assert.deepEqual(program.swarm.violations, []);
}

async function mustRefuse(program: SimulatedProgram, ...parts: readonly RegExp[]): Promise<void> {
  const { error, calls } = await program.run();
  assert.ok(error instanceof MembershipRefusal, `a refusal was expected, but: ${error?.message ?? "it went through"}`);
  for (const part of parts) assert.match(error.message, part);
  assert.deepEqual(calls.mutations, [], "nothing is changed before a refusal");
}

/** As after a first run that was cut off. */
function forget(program: SimulatedProgram): void {
  program.memory = undefined;
}

async function settle(program: SimulatedProgram, milliseconds = 60_000): Promise<void> {
  await program.swarm.clock.sleep(milliseconds);
}

describe("managers that join", () => {
  it("are asked until one of their answers comes, and not only once until the next second in which they look for their leader", async () => {
    const swarm = new SimulatedSwarm();
    const program = new SimulatedProgram(swarm, { "control-1": "manager" });
    assert.equal((await program.run()).error, undefined);
    // Then they have learnt of it 300 ms after they have joined.
    swarm.settles = 100;
    const began = swarm.clock.now();
    program.roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager" };
    assert.equal((await program.run()).error, undefined);
    const took = swarm.clock.now() - began;
    assert.ok(took < 2_000, `${took} ms`);
  });
});

describe("the first formation of a swarm", () => {
  for (const [managerCount, workerCount] of [
    [1, 0],
    [1, 2],
    [3, 2],
    [5, 4],
  ] as const) {
    it(`brings ${managerCount} managers and ${workerCount} workers together, and a second run changes nothing`, async () => {
      await formed(managers(managerCount, workerCount));
    });
  }

  it("lets all hosts join at the same time", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), managers(3, 30));
    const before = program.swarm.clock.now();
    await mustConverge(program);
    assert.ok(program.swarm.clock.now() - before < 30_000, `took ${program.swarm.clock.now() - before} ms of virtual time`);
  });

  it("does not mind hosts that all have the same name", async () => {
    const swarm = new SimulatedSwarm();
    for (const key of Object.keys(threeAndTwo)) swarm.provision(key, "debian");
    await mustConverge(new SimulatedProgram(swarm, threeAndTwo));
  });

  it("completes the other hosts when a worker is broken, and names it", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), threeAndTwo);
    program.swarm.provision("edge-1").up = false;
    const { result } = await program.run();
    assert.deepEqual(
      result?.failures.map(({ host }) => host),
      ["edge-1"],
    );
    assert.match(result?.failures[0]?.reason ?? "", /cannot be reached over SSH/);
    assert.deepEqual(program.differences(), []);
    program.swarm.machine("edge-1").up = true;
    await mustConverge(program);
  });

  it("completes the other hosts when a later manager is broken", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), threeAndTwo);
    program.swarm.provision("control-3").up = false;
    const { result } = await program.run();
    assert.deepEqual(
      result?.failures.map(({ host }) => host),
      ["control-3"],
    );
    program.swarm.machine("control-3").up = true;
    await mustConverge(program);
  });

  it("is refused while the first manager, which may hold an earlier swarm, cannot be seen", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), three);
    await program.run(1);
    program.swarm.machine("control-1").up = false;
    await mustRefuse(program, /control-1/, /cannot be reached over SSH/, /remove it from the program/);
    program.swarm.machine("control-1").up = true;
    await mustConverge(program);
  });

  it("is refused, too, while a host cannot be seen that was the first manager when an earlier run failed", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), three);
    await program.run(1);
    program.formerly = { firstManagers: ["control-1", "backup-1"], unasked: [] };
    program.roles = { "backup-1": "manager", ...three };
    program.swarm.machine("control-1").up = false;
    await mustRefuse(program, /control-1/, /cannot be reached over SSH/, /remove it from the program/);
    program.swarm.machine("control-1").up = true;
    await mustConverge(program);
    assert.equal(program.swarm.rafts.length, 1);
  });

  it("is refused when no manager can be reached, with the reason for each", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), threeAndTwo);
    for (const key of Object.keys(three)) program.swarm.provision(key).up = false;
    await mustRefuse(program, /control-1: .*no answer/, /control-2: .*no answer/, /control-3: .*no answer/);
  });

  it("is refused when no host is to be a manager", async () => {
    await mustRefuse(new SimulatedProgram(new SimulatedSwarm(), { "edge-1": "worker" }), /at least one manager/);
  });
});

describe("a join that goes wrong", () => {
  it("is tried once more when it was left pending in the background", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), threeAndTwo);
    program.swarm.provision("edge-1").brokenJoins.push({ text: "Timeout was reached before node joined", state: "pending" });
    await mustConverge(program);
  });

  it("is the failure of that host only when it fails again, and never shows the token", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), threeAndTwo);
    const fault = { text: "remote CA does not match fingerprint", state: "inactive" } as const;
    program.swarm.provision("edge-1").brokenJoins.push(fault, fault);
    const { result } = await program.run();
    assert.deepEqual(
      result?.failures.map(({ host }) => host),
      ["edge-1"],
    );
    assert.match(result?.failures[0]?.reason ?? "", /remote CA does not match/);
    const said = JSON.stringify([result, program.swarm.progress]);
    assert.doesNotMatch(said, /SWMTKN/);
    assert.doesNotMatch(said, /3pu6hszjas19xyp7ghgosyx9k8atbfcr8p2is99znpy26u2lkl/);
    assert.deepEqual(program.differences(), ["edge-1 is not in the swarm"]);
    await mustConverge(program);
  });

  it("left pending by an earlier run is undone first", async () => {
    const program = await formed(threeAndTwo);
    program.roles = { ...threeAndTwo, "edge-3": "worker" };
    program.swarm.provision("edge-3").state = "pending";
    await mustConverge(program);
    assert.ok(!program.swarm.progress.some((line) => /once more/.test(line)), "it did not have to fail first");
  });

  it("does not go on in the background when it was given up", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), threeAndTwo);
    const fault = { text: "Timeout was reached before node joined", state: "pending" } as const;
    program.swarm.provision("edge-1").brokenJoins.push(fault, fault);
    const { result } = await program.run();
    assert.deepEqual(
      result?.failures.map(({ host }) => host),
      ["edge-1"],
    );
    assert.equal(program.swarm.machine("edge-1").state, "inactive");
  });

  it("does not come from asking managers that are dead", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.kill("control-1");
    await settle(program);
    program.roles = { ...threeAndTwo, "edge-3": "worker" };
    await program.run();
    assert.deepEqual(
      program.differences().filter((line) => /edge-3/.test(line)),
      [],
    );
    assert.equal(program.swarm.askedInVain, 0);
  });

  it("leaves a locked host alone and says what it needs", async () => {
    const program = await formed(threeAndTwo);
    const machine = program.swarm.machine("control-3");
    machine.state = "locked";
    const { result, calls } = await program.run();
    assert.deepEqual(calls.mutations, []);
    assert.match(result?.failures.find(({ host }) => host === "control-3")?.reason ?? "", /docker swarm unlock/);
    machine.state = "active";
    await mustBeDone(program);
  });
});

describe("a restarted host", () => {
  it("is waited for while it finds its way back, and not joined anew", async () => {
    const program = await formed(threeAndTwo);
    const machine = program.swarm.machine("control-2");
    const { nodeId } = machine;
    machine.state = "pending";
    void program.swarm.clock.sleep(8_000).then(() => (machine.state = "active"));
    const { error, result, calls } = await program.run();
    assert.equal(error, undefined);
    assert.deepEqual(result?.failures, []);
    assert.deepEqual(calls.mutations, []);
    assert.equal(machine.nodeId, nodeId);
  });

  it("that the others had lost is given as long as Docker takes to find them again, and is not joined anew", async () => {
    for (const key of ["control-3", "edge-1"]) {
      const program = await formed(threeAndTwo);
      program.swarm.cutOff(key, 80_000);
      const { calls, result } = await program.run();
      assert.deepEqual(result?.failures, []);
      assert.deepEqual(calls.mutations, []);
      await mustBeDone(program);
    }
  });

  it("that was struck off meanwhile leaves what it remembers and joins again", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.kill("control-3");
    await settle(program);
    program.roles = { "control-1": "manager", "control-2": "manager", "edge-1": "worker", "edge-2": "worker" };
    await mustConverge(program);
    program.roles = threeAndTwo;
    program.swarm.revive("control-3");
    await mustConverge(program);
  });

  it("that an administrator struck off while it lived joins again", async () => {
    const program = await formed(threeAndTwo);
    const machine = program.swarm.machine("edge-2");
    machine.raft?.members.delete(machine.nodeId);
    await mustConverge(program);
  });
});

describe("a host that holds on to a membership nobody else knows of", () => {
  it("is known by what the last run returned", async () => {
    const program = await formed(threeAndTwo);
    const machine = program.swarm.machine("edge-2");
    machine.raft?.members.delete(machine.nodeId);
    Object.assign(machine, { state: "pending", raft: undefined });
    await mustConverge(program);
  });

  it("leaves it when it was struck off before it could leave, and its removal was cut off then", async () => {
    const program = await formed(threeAndTwo);
    const machine = program.swarm.machine("edge-2");
    machine.refusesLeave = true;
    program.swarm.conflictEvery = 0;
    program.roles = { ...three, "edge-1": "worker" };
    const { calls } = await program.run(3);
    assert.match(calls.mutations.at(-1) ?? "", /removeNode/);
    machine.refusesLeave = false;
    await mustConverge(program);
    assert.equal(machine.state, "inactive");
  });
});

describe("which swarm is ours", () => {
  it("is refused when managers are in two, with the hosts and the ids", async () => {
    const swarm = new SimulatedSwarm();
    const [one, two] = [swarm.formByHand("control-1"), swarm.formByHand("control-2")];
    await mustRefuse(new SimulatedProgram(swarm, three), /control-1/, /control-2/, new RegExp(one.id), new RegExp(two.id), /docker swarm leave/);
  });

  it("is refused when a worker is in a foreign one", async () => {
    const program = await formed(three);
    program.swarm.addStranger(program.swarm.formByHand("elsewhere"), "edge-1");
    program.roles = { ...three, "edge-1": "worker" };
    await mustRefuse(program, /edge-1/, /docker swarm leave/);
  });

  it("is refused when the one we remember is on no host", async () => {
    const program = await formed(managers(1, 1));
    const { swarmId } = program.memory ?? assert.fail();
    program.swarm.replace("control-1");
    program.swarm.replace("edge-1");
    await mustRefuse(program, new RegExp(swarmId), /abandonedSwarm/);
  });

  it("is refused where those that remember it do not answer, though a manager that has come since sorts first", async () => {
    for (const others of [three, { "control-1": "manager", "edge-1": "worker" } as const]) {
      const program = await formed(others);
      const { swarmId } = program.memory ?? assert.fail();
      forget(program);
      program.formerly = { swarmId, firstManagers: ["control-1"], unasked: [{ host: "control-0", reason: "no answer" }] };
      for (const key of Object.keys(others)) program.swarm.machine(key).up = !key.startsWith("control");
      program.roles = { "backup-1": "manager", ...others };
      await mustRefuse(
        program,
        new RegExp(`manager of this cluster's swarm ${swarmId}`),
        /control-1: .*no answer/,
        /control-0: no answer/,
        /abandonedSwarm/,
      );
      for (const key of Object.keys(others)) program.swarm.machine(key).up = true;
      await mustConverge(program);
      assert.equal(program.memory?.swarmId, swarmId);
    }
  });

  it("is a new one where those that remembered it are no more, and the user says so", async () => {
    const program = await formed(managers(1, 1));
    const { swarmId } = program.memory ?? assert.fail();
    forget(program);
    program.formerly = { swarmId, firstManagers: ["control-1"], unasked: [] };
    program.swarm.replace("control-1");
    program.swarm.replace("edge-1");
    await mustRefuse(program, new RegExp(swarmId), /abandonedSwarm/);
    program.abandonedSwarm = swarmId;
    await mustConverge(program);
    assert.notEqual(program.memory?.swarmId, swarmId);
  });

  it("is a new one when the user says that the remembered one is lost", async () => {
    const program = await formed(managers(1, 2));
    const { swarmId } = program.memory ?? assert.fail();
    program.swarm.replace("control-1");
    await mustRefuse(program, new RegExp(swarmId));
    program.abandonedSwarm = swarmId;
    await mustConverge(program);
    assert.notEqual(program.memory?.swarmId, swarmId);
  });

  it("is a new one also where survivors of the lost one still wait for a leader", async () => {
    const program = await formed(threeAndTwo);
    const { swarmId } = program.memory ?? assert.fail();
    program.swarm.replace("control-1");
    program.swarm.replace("control-2");
    program.abandonedSwarm = swarmId;
    await mustConverge(program);
    assert.notEqual(program.memory?.swarmId, swarmId);
  });

  it("is the new one when the lost one comes back to life beside it", async () => {
    const program = await formed(managers(1));
    const { swarmId } = program.memory ?? assert.fail();
    program.swarm.kill("control-1");
    program.roles = managers(2, 1);
    program.abandonedSwarm = swarmId;
    const { result } = await program.run();
    assert.deepEqual(
      result?.failures.map(({ host }) => host),
      ["control-1"],
    );
    program.swarm.revive("control-1");
    assert.deepEqual((await program.run()).result?.failures, []);
    assert.deepEqual(program.swarm.violations.splice(0), ["quorum lost: control-1 leaves, 0 of 0 are left"], "that of the swarm that was given up");
    await mustBeDone(program);
    assert.notEqual(program.memory?.swarmId, swarmId);
  });

  it("is the one the hosts are in when nothing is remembered, down to the nodes of replaced machines", async () => {
    const program = await formed(threeAndTwo);
    const { swarmId } = program.memory ?? assert.fail();
    forget(program);
    program.swarm.replace("control-3");
    await settle(program);
    await mustConverge(program);
    assert.equal(program.memory?.swarmId, swarmId);
  });

  it("is refused without memory when only workers of some swarm can be seen", async () => {
    const program = await formed(managers(1, 1));
    forget(program);
    program.swarm.replace("control-1");
    await mustRefuse(program, /edge-1 is in a swarm none of whose managers answers/, /docker swarm leave --force/);
  });

  it("is refused when the managers are in another one than is remembered", async () => {
    const program = await formed(managers(1));
    const { swarmId } = program.memory ?? assert.fail();
    program.swarm.replace("control-1");
    const other = program.swarm.formByHand("control-1");
    await settle(program);
    await mustRefuse(program, new RegExp(swarmId), new RegExp(other.id), /docker swarm leave --force/);
  });

  it("stays the one we have when it is called lost but lives", async () => {
    const program = await formed(threeAndTwo);
    const { swarmId } = program.memory ?? assert.fail();
    program.abandonedSwarm = swarmId;
    await mustBeDone(program);
    assert.equal(program.memory?.swarmId, swarmId);
  });

  it("stays the same when the first manager's machine is replaced", async () => {
    const program = await formed(threeAndTwo);
    const { swarmId } = program.memory ?? assert.fail();
    program.swarm.replace("control-1");
    await settle(program);
    await mustConverge(program);
    assert.equal(program.memory?.swarmId, swarmId);
  });

  it("stays the same when all hosts get other keys at once", async () => {
    const program = await formed(three);
    const { swarmId } = program.memory ?? assert.fail();
    program.roles = { "chief-1": "manager", "chief-2": "manager", "chief-3": "manager" };
    await mustConverge(program);
    assert.equal(program.memory?.swarmId, swarmId);
  });
});

/** What the refusal says to write. */
async function offered(program: SimulatedProgram): Promise<string> {
  const { error, calls } = await program.run();
  assert.ok(error instanceof MembershipRefusal, String(error));
  assert.deepEqual(calls.mutations, []);
  const [, token] = /membership: \{ recover: "([^"]+)" \}/.exec(error.message) ?? assert.fail(error.message);
  return token ?? "";
}

describe("a lost quorum", () => {
  it("is refused without any change, and says who is there, who is not, what runs, and the two ways", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.kill("control-2");
    program.swarm.kill("control-3");
    await mustRefuse(
      program,
      /1 of 3 managers answers, and 2 are needed for a leader\. Nothing was changed\.\n/,
      /\n {2}- control-1: answers, and finds no leader\n/,
      /\n {2}- control-2: cannot be reached over SSH within 75 s: no answer\n/,
      /\nContainers run on .*edge-1.*, by service: web \(\d\)\. One that stops is not started again/,
      /Wait: bring back 1 of control-2, control-3, and run again/,
      /switch them off, write membership: \{ recover: "control-1\.[0-9a-f]{12}" \}, and run again/,
    );
  });

  it("is recovered once what was printed is written, with the others' machines gone, and keeps the swarm", async () => {
    const program = await formed(threeAndTwo);
    const swarmId = program.memory?.swarmId;
    program.swarm.kill("control-2");
    program.swarm.kill("control-3");
    program.recover = await offered(program);
    const { error, result } = await program.run();
    assert.equal(error, undefined);
    assert.deepEqual(result?.failures.map(({ host }) => host).sort(), ["control-2", "control-3"], "they are named, and all else is done");
    program.swarm.replace("control-2");
    program.swarm.replace("control-3");
    await mustConverge(program);
    assert.deepEqual([program.memory?.swarmId, program.memory?.recovered], [swarmId, 1]);
  });

  it("is recovered with fresh machines at the places of those that are lost, in the same run", async () => {
    const program = await formed(managers(5, 1));
    for (const key of ["control-1", "control-4", "control-5"]) program.swarm.replace(key);
    program.recover = await offered(program);
    assert.match(program.recover, /^control-2\./);
    await mustConverge(program);
    assert.equal(program.memory?.recovered, 1);
  });

  it("is recovered from the manager whose Raft log is the newest", async () => {
    const program = await formed(managers(5));
    for (const key of ["control-1", "control-2", "control-5"]) program.swarm.kill(key);
    program.swarm.logs.set("control-3", { term: 4, index: 900 });
    program.swarm.logs.set("control-4", { term: 5, index: 17 });
    await mustRefuse(program, /control-3: answers.*, its Raft log ends at entry 900 of term 4/, /anew from control-4, which has the newest Raft log/);
    program.swarm.logs.set("control-3", { term: 5, index: 18 });
    assert.match(await offered(program), /^control-3\./);
  });

  it("says where nobody knows whose log is the newest", async () => {
    const program = await formed(managers(5));
    for (const key of ["control-1", "control-2", "control-5"]) program.swarm.kill(key);
    await mustRefuse(program, /anew from control-3: whose Raft log is the newest is not known/);
  });

  it("of other hosts than were confirmed is refused, and so is the same loss once it was recovered", async () => {
    const program = await formed(managers(5));
    for (const key of ["control-3", "control-4", "control-5"]) program.swarm.kill(key);
    program.recover = await offered(program);
    program.swarm.kill("control-2");
    await mustRefuse(program, /membership\.recover is "control-1\.[0-9a-f]+", which was for another loss than this one/, /1 of 5 managers/);
    program.swarm.revive("control-2");
    const first = program.recover;
    const { error } = await program.run();
    assert.equal(error, undefined);
    for (const key of ["control-3", "control-4", "control-5"]) program.swarm.revive(key);
    await settle(program);
    await mustConverge(program);
    for (const key of ["control-3", "control-4", "control-5"]) program.swarm.kill(key);
    await mustRefuse(program, /which was for another loss than this one/);
    assert.notEqual(await offered(program), first);
  });

  it("is none while a majority answers, over SSH or each other, whatever is confirmed", async () => {
    const program = await formed(three);
    program.swarm.kill("control-2");
    program.swarm.kill("control-3");
    program.recover = await offered(program);
    program.swarm.listening.add(`${program.swarm.machine("control-3").address}:2377`);
    await mustRefuse(
      program,
      /control-3: cannot be reached .*\. But its swarm port answers control-1: it lives\n/,
      /Nothing is lost: a majority of the managers lives.*\. Make control-3 reachable over SSH, and run again/,
    );
  });

  it("is recovered, too, where the last manager's engine was started since", async () => {
    const program = await formed(three);
    program.swarm.kill("control-2");
    program.swarm.kill("control-3");
    Object.assign(program.swarm.machine("control-1"), { state: "pending" });
    program.recover = await offered(program);
    const { error } = await program.run();
    assert.equal(error, undefined);
    program.swarm.replace("control-2");
    program.swarm.replace("control-3");
    await mustConverge(program);
  });

  it("of locked managers is not recovered, for Docker cannot", async () => {
    const program = await formed(three);
    program.options = { autolock: true };
    await mustConverge(program);
    program.swarm.kill("control-2");
    program.swarm.kill("control-3");
    await mustRefuse(program, /control-1's keys are locked \(swarm\.autolock\).*moby issue 36852.*Only a manager that comes back helps/);
  });

  it("ends in one swarm when those that were thought lost come back with a majority of their own", async () => {
    const program = await formed(three);
    program.swarm.part("control-1");
    for (const key of ["control-2", "control-3"]) program.swarm.machine(key).up = false;
    program.recover = await offered(program);
    assert.equal((await program.run()).error, undefined);
    for (const key of ["control-2", "control-3"]) program.swarm.machine(key).up = true;
    const ids = new Set([1, 2, 3].map((place) => program.swarm.machine(`control-${place}`).raft?.id));
    assert.equal(ids.size, 1, "both are called the same");
    assert.equal(new Set([1, 2, 3].map((place) => program.swarm.machine(`control-${place}`).raft)).size, 2, "and are two");
    program.swarm.heal("control-1");
    await settle(program);
    assert.equal((await program.run()).error, undefined);
    program.swarm.violations.splice(0);
    await mustConverge(program);
    assert.equal(new Set([1, 2, 3].map((place) => program.swarm.machine(`control-${place}`).raft)).size, 1);
    assert.equal(program.memory?.recovered, 1);
  });

  it("is not undone by managers that come back alone: what was done since is elsewhere", async () => {
    const program = await formed(three);
    program.swarm.part("control-1");
    for (const key of ["control-2", "control-3"]) program.swarm.machine(key).up = false;
    program.recover = await offered(program);
    assert.equal((await program.run()).error, undefined);
    for (const key of ["control-2", "control-3"]) program.swarm.machine(key).up = true;
    program.swarm.machine("control-1").up = false;
    const swarmId = program.memory?.swarmId ?? "";
    program.formerly = { firstManagers: [], unasked: [], swarmId, recovered: 1 };
    await mustRefuse(program, /formed anew after it had lost its quorum, and no manager of it answers/, /control-2, control-3 answer/);
  });

  it("that somebody recovered by hand while the others lived is two halves: refused, and named", async () => {
    const program = await formed(three);
    program.swarm.part("control-1");
    program.swarm.forceNewCluster("control-1");
    program.swarm.heal("control-1");
    await settle(program);
    await mustRefuse(
      program,
      /two halves of one swarm: (control-1; control-2, control-3|control-2, control-3; control-1)/,
      /2377\/tcp does not pass/,
    );
  });

  it("recovered by hand, as Docker's manual says, is taken as it is", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.kill("control-2");
    program.swarm.kill("control-3");
    program.swarm.forceNewCluster("control-1");
    program.swarm.replace("control-2");
    program.swarm.replace("control-3");
    await settle(program);
    await mustConverge(program);
  });

  it("is told from an election, which is waited for", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.kill("control-1");
    const { error, result } = await program.run();
    assert.equal(error, undefined);
    assert.deepEqual(
      result?.failures.map(({ host }) => host),
      ["control-1"],
    );
  });

  it("would follow from taking out a live manager while another is dead: refused before any change", async () => {
    const program = await formed(three);
    program.swarm.kill("control-3");
    await settle(program);
    program.roles = { "control-1": "manager", "control-3": "manager" };
    await mustRefuse(program, /control-2/, /1 of 2 managers/, /Bring back control-3/);
  });

  it("would follow from demoting the last manager: refused before any change", async () => {
    const program = await formed(managers(1, 1));
    program.swarm.kill("edge-1");
    program.roles = { "control-1": "worker", "edge-1": "manager" };
    await mustRefuse(program, /control-1/, /last manager|0 of 0/);
  });

  it("is not risked when the join that was to make up for a demotion fails", async () => {
    const program = await formed(managers(1, 0));
    const fault = { text: "no route", state: "inactive" } as const;
    program.swarm.provision("control-2").brokenJoins.push(fault, fault);
    program.roles = { "control-1": "worker", "control-2": "manager" };
    const { result } = await program.run();
    assert.deepEqual(result?.failures.map(({ host }) => host).sort(), ["control-1", "control-2"]);
    assert.deepEqual(program.swarm.violations, []);
    await mustConverge(program);
  });
});

describe("a run during which things happen", () => {
  it("does not demote a manager when the join of its successor failed and another one is dead", async () => {
    const program = await formed(three);
    program.swarm.kill("control-3");
    await settle(program);
    const fault = { text: "no route", state: "inactive" } as const;
    program.swarm.provision("control-4").brokenJoins.push(fault, fault);
    program.roles = { "control-1": "manager", "control-3": "manager", "control-4": "manager" };
    const { result } = await program.run();
    assert.deepEqual(result?.failures.map(({ host }) => host).sort(), ["control-2", "control-3", "control-4"]);
    assert.match(result?.failures.find(({ host }) => host === "control-2")?.reason ?? "", /stays a manager: without it 1 of 2/);
    assert.deepEqual(program.swarm.violations, []);
    assert.ok(result?.nodes["control-2"], "it is remembered until it is out");
    program.swarm.revive("control-3");
    await mustConverge(program);
  });

  it("goes on through another manager when the one it asks dies", async () => {
    const program = await formed(managers(3, 2));
    program.swarm.giveTasks("edge-2", 10);
    program.roles = { ...three, "edge-1": "worker" };
    void program.swarm.clock.sleep(5_000).then(() => program.swarm.kill("control-1"));
    const { error, result } = await program.run();
    assert.equal(error, undefined);
    assert.deepEqual(result?.failures, []);
    assert.deepEqual(program.differences(), []);
    assert.deepEqual(program.swarm.violations, []);
  });

  it("says that the managers are gone when they all die, and the next run finishes it", async () => {
    const program = await formed(managers(1, 2));
    program.swarm.giveTasks("edge-2", 10);
    program.roles = managers(1, 1);
    void program.swarm.clock.sleep(5_000).then(() => program.swarm.kill("control-1"));
    const { error, result } = await program.run();
    assert.equal(error, undefined);
    assert.match(result?.failures[0]?.reason ?? "", /no manager took the call/);
    program.swarm.revive("control-1");
    await mustConverge(program);
  });
});

describe("a manager that does not know the leader yet", () => {
  it("is asked again beside the question that it answers only a second later", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), managers(3, 0));
    program.swarm.settles = 0;
    const before = program.swarm.clock.now();
    await program.run();
    assert.deepEqual(program.differences(), []);
    const took = program.swarm.clock.now() - before;
    assert.ok(took < 2_500, `it took ${took} ms`);
  });
});

describe("a host that is taken out", () => {
  it("is emptied of its tasks before it leaves", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.giveTasks("edge-2", 5);
    program.roles = { ...three, "edge-1": "worker" };
    await mustConverge(program);
    assert.ok(
      program.swarm.progress.some((line) => /^edge-2: drained, waiting for \d tasks/.test(line)),
      program.swarm.progress.join("\n"),
    );
  });

  it("is struck off as soon as it has left, though the managers call it ready for 15 s more", async () => {
    const program = await formed(threeAndTwo);
    program.roles = { ...three, "edge-1": "worker" };
    const before = program.swarm.clock.now();
    await mustConverge(program);
    assert.ok(program.swarm.clock.now() - before < 10_000, `it took ${program.swarm.clock.now() - before} ms`);
  });

  it("is not waited for without end when its tasks do not go", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.giveTasks("edge-2", 1_000);
    program.roles = { ...three, "edge-1": "worker" };
    const { result } = await program.run();
    assert.deepEqual(result?.failures, []);
    assert.ok(program.swarm.progress.some((line) => /^edge-2: warning: \d+ tasks are still there after 120 s/.test(line)));
    assert.deepEqual(program.differences(), []);
  });

  it("is not waited for any longer when it dies while it is emptied", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.giveTasks("edge-2", 1_000);
    program.roles = { ...three, "edge-1": "worker" };
    void program.swarm.clock.sleep(5_000).then(() => program.swarm.kill("edge-2"));
    const before = program.swarm.clock.now();
    await mustConverge(program);
    assert.ok(program.swarm.clock.now() - before < 100_000, "the limit for its tasks was not used up");
  });

  it("is named in a warning where another state than this one added it", async () => {
    const program = await formed(threeAndTwo);
    const older = program.memory;
    program.roles = { ...threeAndTwo, "edge-9": "worker" };
    await mustConverge(program);
    Object.assign(program, { memory: older, roles: threeAndTwo });
    await mustConverge(program);
    const warnings = program.swarm.progress.filter((line) => line.includes("warning"));
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? "",
      /^edge-9: warning: node node-\d+ is in the swarm under this cluster's label, but neither .* or this state is not the newest one/,
    );
  });

  it("is known by what the last run returned when somebody took our label off", async () => {
    const program = await formed(threeAndTwo);
    const member = program.swarm.memberOf(program.swarm.machine("edge-2"));
    assert.ok(member);
    member.labels = {};
    program.roles = { ...three, "edge-1": "worker" };
    await mustConverge(program);
  });

  it("is struck off when it does not answer any more", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.kill("edge-2");
    program.swarm.kill("control-3");
    program.roles = { "control-1": "manager", "control-2": "manager", "edge-1": "worker" };
    await mustConverge(program);
  });

  it("may be the leader, and may be two of five managers", async () => {
    const program = await formed(managers(5, 1));
    program.roles = { "control-3": "manager", "control-4": "manager", "control-5": "manager", "edge-1": "worker" };
    await mustConverge(program);
  });

  it("is taken out even when it cannot leave by itself, which is said", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.machine("edge-2").refusesLeave = true;
    program.roles = { ...three, "edge-1": "worker" };
    await mustConverge(program);
    assert.ok(
      program.swarm.progress.some((line) => /^edge-2: warning: .*docker swarm leave --force/.test(line)),
      program.swarm.progress.join("\n"),
    );
  });

  it("is active again when it is taken back after an interrupted removal", async () => {
    const program = await formed(threeAndTwo);
    program.roles = { ...three, "edge-1": "worker" };
    await program.run(1);
    program.roles = threeAndTwo;
    await mustConverge(program);
  });

  it("leaves alone a node that was drained by hand, and nodes that nobody asked for", async () => {
    const program = await formed(threeAndTwo);
    const { raft, nodeId } = program.swarm.machine("edge-1");
    assert.ok(raft);
    const member = raft.members.get(nodeId);
    assert.ok(member);
    member.availability = "drain";
    const stranger = program.swarm.addStranger(raft, "stranger");
    await settle(program, 2_000);
    const { calls } = await program.run();
    assert.deepEqual(calls.mutations, []);
    assert.equal(member.availability, "drain");
    assert.ok(raft.members.has(stranger.id));
    assert.equal(program.swarm.progress.filter((line) => /stranger/.test(line)).length, 1);
    const warning =
      'edge-1: warning: somebody set its availability to "drain", so no task runs there; it is left so. To take it back: docker node update';
    assert.equal(program.swarm.progress.filter((line) => line.startsWith(warning)).length, 1, program.swarm.progress.join("\n"));
  });
});

describe("a change of role", () => {
  it("makes a worker a manager and back, with the same node", async () => {
    const program = await formed(threeAndTwo);
    const { nodeId } = program.swarm.machine("edge-1");
    program.roles = { ...threeAndTwo, "edge-1": "manager", "edge-2": "manager" };
    await mustConverge(program);
    program.roles = threeAndTwo;
    await mustConverge(program);
    assert.equal(program.swarm.machine("edge-1").nodeId, nodeId);
  });

  it("that somebody made by hand is taken back", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.promoteByHand("edge-1");
    await mustConverge(program);
  });

  it("that somebody made by hand, and that cannot be finished because the firewall closes a worker's port, is taken back", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.promoteByHand("edge-1", "fails");
    await mustConverge(program);
  });

  it("that somebody made by hand, and whose host waits for it as a worker, is taken back with its tasks moved", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.giveTasks("edge-1", 3);
    program.swarm.promoteByHand("edge-1", "waits");
    await mustConverge(program);
  });

  it("that somebody made by hand of a host that is dead does not keep its node from being struck off", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.kill("edge-1");
    await settle(program);
    program.swarm.promoteByHand("edge-1", "waits");
    program.swarm.replace("edge-1");
    await mustConverge(program);
  });

  it("swaps all managers for others", async () => {
    const program = await formed(managers(3, 3));
    program.roles = {
      "control-1": "worker",
      "control-2": "worker",
      "control-3": "worker",
      "edge-1": "manager",
      "edge-2": "manager",
      "edge-3": "manager",
    };
    await mustConverge(program);
  });

  it("moves the only manager to another host", async () => {
    const program = await formed(managers(1, 1));
    program.roles = { "control-1": "worker", "edge-1": "manager" };
    await mustConverge(program);
  });
});

describe("a replaced machine", () => {
  it("whose predecessor lives on joins first; the old node is emptied, demoted and struck off", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.giveTasks("edge-1", 3);
    program.swarm.replace("control-1", "control-1-old");
    program.swarm.replace("edge-1", "edge-1-old");
    await mustConverge(program);
  });

  it("does not lose its predecessor's node when it cannot join itself", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.replace("control-1", "control-1-old");
    const fault = { text: "no route", state: "inactive" } as const;
    program.swarm.machine("control-1").brokenJoins.push(fault, fault);
    const { result } = await program.run();
    assert.deepEqual(
      result?.failures.map(({ host }) => host),
      ["control-1"],
    );
    const { raft, nodeId } = program.swarm.machine("control-1-old");
    assert.equal(result?.nodes["control-1"], nodeId);
    assert.equal(raft?.members.get(nodeId)?.availability, "active");
    await mustConverge(program);
  });
});

describe("labels", () => {
  it("follow the program, and those that others set stay", async () => {
    const program = await formed(managers(1, 1));
    const node = () => program.swarm.memberOf(program.swarm.machine("edge-1"))?.labels ?? {};
    const member = program.swarm.memberOf(program.swarm.machine("edge-1"));
    assert.ok(member);
    member.labels = { ...member.labels, theirs: "kept" };
    program.labels = { zone: "a", disk: "fast" };
    await mustConverge(program);
    assert.equal(node()["zone"], "a");
    program.labels = { zone: "b" };
    await mustConverge(program);
    assert.equal(node()["zone"], "b");
    assert.equal(node()["disk"], undefined);
    assert.equal(node()["theirs"], "kept");
  });
});

describe("dissolving a swarm", () => {
  async function dissolve(program: SimulatedProgram): Promise<readonly { host: string; reason: string }[]> {
    const run = program.swarm.begin();
    const memory = { ...(program.memory ?? { swarmId: "", nodes: {} }), owner: program.owner.mark };
    return (await dissolveMembership(run.access(Object.keys(program.roles)), memory, run.io())).failures;
  }

  it("takes every host out, its managers one after the other", async () => {
    const program = await formed(threeAndTwo);
    assert.deepEqual(await dissolve(program), []);
    assert.deepEqual(
      program.swarm.violations.filter((violation) => violation.includes("same moment")),
      [],
    );
    for (const key of Object.keys(threeAndTwo)) assert.equal(program.swarm.machine(key).state, "inactive");
  });

  it("reports a host that does not answer, and does the others", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.kill("edge-1");
    const failures = await dissolve(program);
    assert.deepEqual(
      failures.map(({ host }) => host),
      ["edge-1"],
    );
    assert.match(failures[0]?.reason ?? "", /edge-1: cannot be reached/);
    assert.equal(program.swarm.machine("control-1").state, "inactive");
  });

  it("leaves alone one that another run has taken over, as when its resource is replaced", async () => {
    const program = await formed(threeAndTwo);
    const old = { memory: program.memory, owner: program.owner };
    program.replaceResource();
    await mustConverge(program);
    const successor = { memory: program.memory, owner: program.owner };
    Object.assign(program, old);
    assert.deepEqual(await dissolve(program), []);
    assert.match(program.swarm.progress.at(-1) ?? "", /was taken over by another run.*"pulumi destroy"/);
    Object.assign(program, successor);
    await mustBeDone(program);
    assert.deepEqual(await dissolve(program), []);
    for (const key of Object.keys(threeAndTwo)) assert.equal(program.swarm.machine(key).state, "inactive");
  });

  it("leaves alone one that somebody has marked while itself remembers nothing", async () => {
    const program = await formed(threeAndTwo);
    program.replaceResource();
    await dissolve(program);
    assert.equal(program.swarm.machine("edge-1").state, "active");
  });

  it("takes out the hosts of one whose first run did not end well", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), threeAndTwo);
    program.swarm.provision("edge-1").up = false;
    await program.run();
    program.swarm.machine("edge-1").up = true;
    assert.deepEqual(await dissolve(program), []);
    assert.equal(program.swarm.machine("control-1").state, "inactive");
  });

  it("is done by whoever took it back by name, and not by the other one", async () => {
    const program = await formed(threeAndTwo);
    const old = { memory: program.memory, owner: program.owner };
    program.replaceResource();
    await program.run();
    const other = { memory: program.memory, owner: program.owner };
    Object.assign(program, old, { adopt: old.memory?.swarmId });
    await mustConverge(program);
    Object.assign(program, other);
    assert.deepEqual(await dissolve(program), []);
    assert.equal(program.swarm.machine("control-1").state, "active");
    Object.assign(program, old);
    assert.deepEqual(await dissolve(program), []);
    assert.equal(program.swarm.machine("control-1").state, "inactive");
  });

  it("reads whose it is when the leader has just gone", async () => {
    const program = await formed(threeAndTwo);
    const old = { memory: program.memory, owner: program.owner };
    program.replaceResource();
    await program.run();
    Object.assign(program, old);
    program.swarm.kill("control-1");
    await dissolve(program);
    assert.equal(program.swarm.machine("control-2").state, "active");
    assert.equal(program.swarm.machine("edge-1").state, "active");
  });

  it("is done where no quorum is left that could tell whose it is", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.kill("control-1");
    program.swarm.kill("control-2");
    await dissolve(program);
    for (const key of ["control-3", "edge-1"]) assert.equal(program.swarm.machine(key).state, "inactive");
  });

  it("does not touch hosts that are in somebody else's swarm", async () => {
    const program = await formed(threeAndTwo);
    program.swarm.replace("edge-1");
    program.swarm.replace("control-3");
    program.swarm.addStranger(program.swarm.formByHand("control-3"), "edge-1");
    const failures = await dissolve(program);
    assert.deepEqual(failures.map(({ host }) => host).sort(), ["control-3", "edge-1"]);
    assert.equal(program.swarm.machine("edge-1").state, "active");
    assert.equal(program.swarm.machine("control-3").state, "active");
  });
});
