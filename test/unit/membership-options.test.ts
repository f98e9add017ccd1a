import assert from "node:assert/strict";
import { dissolveMembership, MembershipRefusal } from "../../components/membership/reconcile";
import { type Outcome, type Roles, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

const roles: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager", "edge-1": "worker" };
const managers = ["control-1", "control-2", "control-3"];

async function formed(options: SimulatedProgram["options"] = {}): Promise<SimulatedProgram> {
  const program = new SimulatedProgram(new SimulatedSwarm(), roles);
  program.options = options;
  // Conflicts have a test of their own; here each change is to be counted.
  program.swarm.conflictEvery = 0;
  await mustSucceed(program);
  return program;
}

async function mustSucceed(program: SimulatedProgram): Promise<readonly string[]> {
  const { error, result, calls } = await program.run();
  assert.equal(error, undefined);
  assert.deepEqual(result?.failures, []);
  assert.deepEqual(program.differences(), []);
  assert.deepEqual((await program.run()).calls.mutations, [], "a second run changes nothing");
  assert.deepEqual(program.swarm.violations, []);
  return calls.mutations;
}

function raftOf(program: SimulatedProgram): NonNullable<ReturnType<SimulatedSwarm["machine"]>["raft"]> {
  const { raft } = program.swarm.machine("control-1");
  assert.ok(raft);
  return raft;
}

/** All that a person could come to read. */
function mustNotShowTheKey(program: SimulatedProgram, ...outcomes: readonly Outcome[]): void {
  const shown = [
    ...program.swarm.progress,
    ...outcomes.flatMap(({ error, result }) => [error?.message ?? "", ...(result?.failures ?? []).map(({ reason }) => reason)]),
  ];
  assert.doesNotMatch(shown.join("\n"), /SWMKEY|SWMTKN/);
}

describe("the end of a run", () => {
  it("is when a leader that has just been elected has heard of all nodes", async () => {
    const program = await formed();
    program.beforeFinish = () => program.swarm.leaderChanged(raftOf(program), 5_000);
    const before = program.swarm.clock.now();
    const { error } = await program.run();
    assert.equal(error, undefined);
    assert.ok(program.swarm.clock.now() >= before + 5_000);
    assert.ok(program.swarm.view(raftOf(program)).every(({ state }) => state === "ready"));
  });

  it("is an error that names the hosts of which it does not hear in a minute", async () => {
    const program = await formed();
    program.beforeFinish = () => program.swarm.leaderChanged(raftOf(program), 600_000);
    const { error } = await program.run();
    assert.match(
      error?.message ?? "",
      /^after 60 s the managers do not see all hosts as ready: control-1 \(unknown\), control-2 \(unknown\), control-3 \(unknown\), edge-1 \(unknown\)/,
    );
  });
});

describe("autolock", () => {
  it("is turned on once, by one change at the end, and its key is remembered", async () => {
    const program = await formed();
    program.options = { autolock: true };
    assert.deepEqual(await mustSucceed(program), ["control-1 updateSwarm "]);
    assert.deepEqual(program.memory?.unlockKeys, [raftOf(program).unlockKey]);
    assert.match(raftOf(program).unlockKey, /^SWMKEY-1-/);
    mustNotShowTheKey(program);
  });

  it("comes with the first formation", async () => {
    const program = await formed({ autolock: true, rotateUnlockKey: "1" });
    assert.equal(raftOf(program).made.keys, 1);
    assert.equal(program.memory?.unlockKeys?.length, 1);
  });

  it("is not turned on by a run in which a host failed, as the key would be forgotten with it", async () => {
    const program = await formed();
    program.options = { autolock: true };
    program.swarm.machine("edge-1").up = false;
    const { result } = await program.run();
    assert.equal(result?.failures.length, 1);
    assert.equal(raftOf(program).unlockKey, "");
    program.swarm.machine("edge-1").up = true;
    await mustSucceed(program);
  });

  it("is undone by the remembered key on all managers, when all of them restarted at once, before anything else", async () => {
    const program = await formed({ autolock: true });
    for (const key of managers) program.swarm.reboot(key);
    assert.deepEqual([...(await mustSucceed(program))].sort(), ["control-1 unlock ", "control-2 unlock ", "control-3 unlock "]);
    mustNotShowTheKey(program);
  });

  it("is undone on one manager by the key that another one tells, when a cut-off run left none in memory", async () => {
    const program = await formed({ autolock: true });
    program.memory = undefined;
    program.swarm.reboot("control-2");
    const mutations = await mustSucceed(program);
    assert.equal(mutations[0], "control-2 unlock ");
  });

  it("is undone by an older key on a manager that was away when the key was changed", async () => {
    const program = await formed({ autolock: true });
    const { diskKey } = program.swarm.machine("control-3");
    program.swarm.reboot("control-3");
    // By hand, while it is away.
    program.swarm.newUnlockKey(raftOf(program));
    assert.notEqual(raftOf(program).unlockKey, diskKey);
    const mutations = await mustSucceed(program);
    assert.equal(mutations.length, 2, "the newest was tried first");
    assert.deepEqual(program.memory?.unlockKeys, [raftOf(program).unlockKey, diskKey]);
    mustNotShowTheKey(program);
  });

  it("keeps the keys of before a rotation, which is done once", async () => {
    const program = await formed({ autolock: true });
    const before = raftOf(program).unlockKey;
    program.options = { autolock: true, rotateUnlockKey: "may" };
    assert.deepEqual(await mustSucceed(program), ["control-1 updateSwarm "]);
    assert.equal(raftOf(program).made.keys, 2);
    assert.deepEqual(program.memory?.unlockKeys, [raftOf(program).unlockKey, before]);
  });

  it("refuses with the reason for each manager when none of the keys opens them, and shows no key", async () => {
    const program = await formed({ autolock: true });
    const { memory } = program;
    assert.ok(memory);
    program.memory = { ...memory, unlockKeys: ["SWMKEY-1-wrong"] };
    for (const key of managers) program.swarm.reboot(key);
    const outcome = await program.run();
    assert.ok(outcome.error instanceof MembershipRefusal);
    for (const key of managers)
      assert.match(outcome.error.message, new RegExp(`${key}: is locked, and none of the 1 unlock keys .*docker swarm unlock`));
    mustNotShowTheKey(program, outcome);
    program.memory = memory;
    await mustSucceed(program);
  });

  it("says for one manager that it stays locked, and does the others", async () => {
    const program = await formed({ autolock: true });
    program.swarm.reboot("control-3");
    program.swarm.machine("control-3").diskKey = "SWMKEY-1-of-another-time";
    const outcome = await program.run();
    assert.match(outcome.result?.failures[0]?.reason ?? "", /none of the 1 unlock keys that are remembered opens it: run "docker swarm unlock"/);
    assert.deepEqual(outcome.result?.managers, ["control-1", "control-2"]);
    mustNotShowTheKey(program, outcome);
  });

  it("says what the engine said when it cannot unlock for another reason, without the key", async () => {
    const program = await formed({ autolock: true });
    program.swarm.reboot("control-3");
    program.swarm.machine("control-3").refusesUnlock = true;
    const outcome = await program.run();
    assert.match(outcome.result?.failures[0]?.reason ?? "", /is locked and could not be unlocked: .*context deadline exceeded \(key\); run again/);
    mustNotShowTheKey(program, outcome);
    program.swarm.machine("control-3").refusesUnlock = false;
    await mustSucceed(program);
  });

  it("is turned off, and the keys stay for a manager that was away", async () => {
    const program = await formed({ autolock: true });
    const key = raftOf(program).unlockKey;
    program.options = { autolock: false };
    assert.deepEqual(await mustSucceed(program), ["control-1 updateSwarm "]);
    assert.equal(raftOf(program).unlockKey, "");
    assert.deepEqual(program.memory?.unlockKeys, [key]);
  });

  it("stays as it is when the program says nothing of it", async () => {
    const program = await formed({ autolock: true });
    program.options = {};
    assert.deepEqual(await mustSucceed(program), []);
    assert.notEqual(raftOf(program).unlockKey, "");
  });

  it("does not keep hosts from being dissolved", async () => {
    const program = await formed({ autolock: true });
    for (const key of managers) program.swarm.reboot(key);
    const run = program.swarm.begin();
    assert.deepEqual((await dissolveMembership(run.access(Object.keys(roles)), program.memory, run.io())).failures, []);
    for (const key of managers) assert.equal(program.swarm.machine(key).state, "inactive");
  });
});

describe("certificates", () => {
  it("hold as long as asked from the first formation on, without a call of its own", async () => {
    const program = await formed({ certificateExpiry: "720h" });
    assert.equal(raftOf(program).certificateHours, 720);
    const without = await formed();
    assert.equal(raftOf(program).version, raftOf(without).version);
  });

  it("get another time once", async () => {
    const program = await formed();
    program.options = { certificateExpiry: "48h" };
    assert.deepEqual(await mustSucceed(program), ["control-1 updateSwarm "]);
    assert.equal(raftOf(program).certificateHours, 48);
  });
});

describe("another root CA", () => {
  it("is not made for a swarm that has just been formed", async () => {
    const program = await formed({ rotateCa: "1" });
    assert.equal(raftOf(program).made.ca, 0);
  });

  it("is made once for each change, and waited for", async () => {
    const program = await formed({ rotateCa: "1" });
    program.options = { rotateCa: "2" };
    assert.deepEqual(await mustSucceed(program), ["control-1 updateSwarm "]);
    assert.equal(raftOf(program).made.ca, 1);
    assert.equal(raftOf(program).caSince, undefined, "it is done");
    program.options = {};
    await mustSucceed(program);
    program.options = { rotateCa: "2" };
    await mustSucceed(program);
    assert.equal(raftOf(program).made.ca, 1);
  });

  it("is not made again when the resource is replaced and remembers nothing", async () => {
    const program = await formed({ rotateCa: "1" });
    program.options = { rotateCa: "2" };
    await mustSucceed(program);
    program.memory = undefined;
    await mustSucceed(program);
    assert.equal(raftOf(program).made.ca, 1);
  });

  it("is refused before any change while a node is down, with its name, and done when it is back", async () => {
    const program = await formed();
    program.swarm.kill("edge-1");
    await program.swarm.clock.sleep(60_000);
    program.options = { rotateCa: "1" };
    const { error, calls } = await program.run();
    assert.ok(error instanceof MembershipRefusal);
    assert.match(error.message, /swarm\.rotateCa .*edge-1 is not there.*Nothing was changed.*Bring edge-1 back or remove it/);
    assert.deepEqual(calls.mutations, []);
    program.swarm.revive("edge-1");
    await mustSucceed(program);
    assert.equal(raftOf(program).made.ca, 1);
  });

  it("is not held up by dead nodes that the same run strikes off", async () => {
    const program = await formed();
    program.swarm.kill("edge-1");
    await program.swarm.clock.sleep(60_000);
    program.options = { rotateCa: "1" };
    program.roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager" };
    await mustSucceed(program);
    assert.equal(raftOf(program).made.ca, 1);
  });

  it("is given up after a while when a node dies meanwhile, with its name; the next run waits on and starts no other one", async () => {
    const program = await formed();
    program.swarm.addStranger(raftOf(program), "their-host");
    await program.swarm.clock.sleep(60_000);
    program.options = { rotateCa: "1" };
    // Not noticed yet when the run looks.
    program.swarm.kill("their-host");
    const { error } = await program.run();
    assert.match(error?.message ?? "", /not all nodes have certificates of the new root CA after 120 s: their-host cannot be seen.*run again then/);
    program.swarm.revive("their-host");
    const { error: second } = await program.run();
    assert.equal(second, undefined);
    assert.equal(raftOf(program).made.ca, 1);
  });
});

describe("join tokens", () => {
  it("are others after a run in which hosts joined, and after no other run", async () => {
    const program = await formed();
    assert.equal(raftOf(program).made.tokens, 1);
    program.roles = { ...roles, "edge-2": "worker", "edge-3": "worker" };
    await mustSucceed(program);
    assert.equal(raftOf(program).made.tokens, 2);
  });

  it("stay when nobody was let in by one", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), { "control-1": "manager" });
    await program.run();
    assert.equal(raftOf(program).made.tokens, 0);
  });

  it("stay when the program says so", async () => {
    const program = await formed({ rotateJoinTokensAfterJoin: false });
    assert.equal(raftOf(program).made.tokens, 0);
  });

  it("die also when the run was cut off right after hosts joined", async () => {
    const program = await formed();
    program.roles = { ...roles, "edge-2": "worker" };
    const cut = await program.run(1);
    assert.deepEqual(cut.calls.mutations, ["edge-2 join "]);
    assert.equal(raftOf(program).made.tokens, 1);
    await mustSucceed(program);
    assert.equal(raftOf(program).made.tokens, 2);
  });

  it("are made anew once for each change of the program's word for it", async () => {
    const program = await formed({ rotateJoinTokens: "1" });
    assert.equal(raftOf(program).made.tokens, 1, "that of the joins");
    program.options = { rotateJoinTokens: "2" };
    assert.deepEqual(await mustSucceed(program), ["control-1 updateSwarm "]);
    assert.equal(raftOf(program).made.tokens, 2);
    mustNotShowTheKey(program);
  });
});

describe("what is done right after a swarm was formed", () => {
  it("is done before any other host joins, and never again", async () => {
    const program = await formed();
    assert.deepEqual(
      program.swarm.progress.filter((line) => line.startsWith("formed on")),
      ["formed on control-1 with 1 members"],
    );
  });

  it("is that host's failure when it fails, and the others are done", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), roles);
    program.swarm.brokenFormed = true;
    const { result } = await program.run();
    assert.deepEqual(result?.failures, [{ host: "control-1", reason: "the ingress network cannot be recreated" }]);
    assert.equal(program.swarm.machine("edge-1").state, "active");
    await mustSucceed(program);
  });
});

describe("the managers that a run names", () => {
  it("are those that take part at its end", async () => {
    const program = await formed();
    assert.deepEqual((await program.run()).result?.managers, managers);
    program.roles = { "control-1": "worker", "control-2": "manager", "edge-1": "manager", "edge-2": "manager" };
    assert.deepEqual((await program.run()).result?.managers, ["control-2", "edge-1", "edge-2"]);
  });
});

describe("another address for a host that is in the swarm", () => {
  it("is refused before any change, with both addresses and what to do", async () => {
    const program = await formed();
    for (const key of ["control-2", "edge-1"]) program.swarm.machine(key).advertised = `192.168.9.${key.length}`;
    program.roles = { ...roles, "edge-2": "worker" };
    const { error, calls } = await program.run();
    assert.ok(error instanceof MembershipRefusal);
    assert.match(error.message, /2 hosts are in the swarm under another address.*Nothing was changed/);
    assert.match(
      error.message,
      new RegExp(`control-2: is 192\\.168\\.9\\.9, to be ${program.swarm.machine("control-2").address.replaceAll(".", "\\.")}`),
    );
    assert.match(error.message, /edge-1: is 192\.168\.9\.6/);
    assert.match(error.message, /out of the program, run "pulumi up", put it back.*one manager at a time/);
    assert.deepEqual(calls.mutations, []);
  });

  it("is taken by one that was out of the swarm in between", async () => {
    const program = await formed();
    program.swarm.machine("edge-1").advertised = "192.168.9.6";
    const { "edge-1": _edge, ...rest } = roles;
    program.roles = rest;
    await mustSucceed(program);
    program.roles = roles;
    await mustSucceed(program);
  });
});
