import assert from "node:assert/strict";
import { type Roles, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

const start: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager", "edge-1": "worker", "edge-2": "worker" };

interface Story {
  readonly name: string;
  /** Leads up to the change that is interrupted. */
  readonly prepare: () => Promise<SimulatedProgram>;
  /** The swarm is to stay the one it was. */
  readonly keeps: boolean;
}

async function formed(): Promise<SimulatedProgram> {
  const program = new SimulatedProgram(new SimulatedSwarm(), start);
  const { error } = await program.run();
  assert.equal(error, undefined);
  return program;
}

function edit(name: string, roles: Roles, change: (swarm: SimulatedSwarm) => void = () => undefined): Story {
  return {
    name,
    keeps: true,
    async prepare() {
      const program = await formed();
      change(program.swarm);
      program.roles = roles;
      return program;
    },
  };
}

const { "control-3": _control, "edge-2": _edge, ...removed } = start;
const stories: readonly Story[] = [
  { name: "the first formation", keeps: false, prepare: () => Promise.resolve(new SimulatedProgram(new SimulatedSwarm(), start)) },
  edit("more hosts", { ...start, "control-4": "manager", "control-5": "manager", "edge-3": "worker" }),
  edit("fewer hosts", removed, (swarm) => swarm.giveTasks("edge-2", 3)),
  edit("other roles", { ...start, "control-1": "worker", "edge-1": "manager" }),
  {
    name: "all options of the swarm, and one more host",
    keeps: true,
    async prepare() {
      const program = await formed();
      program.roles = { ...start, "edge-3": "worker" };
      program.options = { autolock: true, rotateUnlockKey: "1", certificateExpiry: "48h", rotateCa: "1", rotateJoinTokens: "1" };
      return program;
    },
  },
  {
    name: "managers that are all locked, and other keys",
    keeps: true,
    async prepare() {
      const program = await formed();
      program.options = { autolock: true };
      await program.run();
      for (const key of ["control-1", "control-2", "control-3"]) program.swarm.reboot(key);
      program.options = { autolock: true, rotateUnlockKey: "1" };
      return program;
    },
  },
  edit("another machine for the first manager", start, (swarm) => swarm.replace("control-1")),
  edit("another machine for the first manager while the old one lives", start, (swarm) => swarm.replace("control-1", "control-1-old")),
];

describe("a run that is cut off after any of its changes", () => {
  for (const { name, prepare, keeps } of stories) {
    it(`is finished by the next one: ${name}`, async function () {
      this.timeout(10_000);
      for (let changes = 1; ; changes++) {
        const program = await prepare();
        const swarmId = program.memory?.swarmId;
        const cut = await program.run(changes);
        const whole = cut.error === undefined && cut.result?.failures.length === 0;
        if (!whole) {
          const next = await program.run();
          assert.equal(next.error, undefined, `after ${changes} changes: ${cut.calls.mutations.join("; ")}`);
          assert.deepEqual(next.result?.failures, [], `after ${changes} changes`);
        }
        assert.deepEqual(program.differences(), [], `after ${changes} changes: ${cut.calls.mutations.join("; ")}`);
        assert.deepEqual(program.swarm.violations, []);
        for (const { made } of program.swarm.rafts) assert.ok(made.ca <= 1 && made.keys <= 2, "no rotation is done twice");
        if (program.options.autolock) assert.equal(program.memory?.unlockKeys?.[0], program.swarm.rafts[0]?.unlockKey);
        if (keeps) assert.equal(program.memory?.swarmId, swarmId);
        assert.deepEqual((await program.run()).calls.mutations, [], `a run after that, with ${changes} changes before the cut`);
        if (whole) {
          assert.ok(changes > 2, "there was something to interrupt");
          return;
        }
      }
    });
  }
});
