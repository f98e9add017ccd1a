import assert from "node:assert/strict";
import { dissolveMembership, MembershipRefusal } from "../../components/membership/reconcile";
import { type Roles, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

const roles: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager", "edge-1": "worker" };

async function formed(): Promise<SimulatedProgram> {
  const program = new SimulatedProgram(new SimulatedSwarm(), roles);
  const { error, result } = await program.run();
  assert.deepEqual([error, result?.failures], [undefined, []]);
  return program;
}

/** Another stack of the same project, with a cluster of the same name over the same hosts. */
function dev({ swarm }: SimulatedProgram): SimulatedProgram {
  const program = new SimulatedProgram(swarm, roles);
  program.owner = { ...program.owner, stack: "shop/dev/main" };
  return program;
}

async function refusal(program: SimulatedProgram): Promise<string> {
  const { error, calls } = await program.run();
  assert.ok(error instanceof MembershipRefusal, `a refusal was expected, but: ${error?.message ?? "it went through"}`);
  assert.deepEqual(calls.mutations, []);
  return error.message;
}

/** As the intent's deletion does, which knows its own mark. */
async function destroy(program: SimulatedProgram): Promise<void> {
  const run = program.swarm.begin();
  const memory = { ...(program.memory ?? { swarmId: "", nodes: {} }), owner: program.owner.mark };
  await dissolveMembership(run.access(Object.keys(roles)), memory, run.io());
}

function labelsOf({ swarm }: SimulatedProgram): Record<string, string> {
  const { raft } = swarm.machine("control-1");
  assert.ok(raft);
  return raft.labels;
}

function states({ swarm }: SimulatedProgram): string[] {
  return Object.keys(roles).map((key) => swarm.machine(key).state);
}

const lives = ["active", "active", "active", "active"];
const gone = ["inactive", "inactive", "inactive", "inactive"];

describe("whose a swarm is", () => {
  it("is written into it at its birth, also by a run that is cut off right then", async () => {
    const program = new SimulatedProgram(new SimulatedSwarm(), roles);
    await program.run(1);
    assert.deepEqual(labelsOf(program), { "pulumi-swarm.owner": program.owner.mark, "pulumi-swarm.stack": "shop/prod/main" });
    assert.equal((await program.run()).error, undefined);
  });

  it("keeps another stack with the same cluster name from taking it over, and from dissolving it", async () => {
    const prod = await formed();
    const other = dev(prod);
    assert.equal(
      await refusal(other),
      "control-1, control-2, control-3 are managers of the swarm swarm-1, which belongs to shop/prod/main; this cluster is shop/dev/main. Nothing was changed. " +
        'Remove these hosts from the program. Or, if this program is to manage that swarm from now on, write adopt: { swarmId: "swarm-1" } and run again.',
    );
    await destroy(other);
    assert.deepEqual(states(prod), lives);
    assert.match(prod.swarm.progress.at(-1) ?? "", /taken over by another run \(of shop\/prod\/main\).*was left alone/);
    assert.deepEqual((await prod.run()).calls.mutations, [], "prod noticed nothing");
  });

  it("lets a lost state find its way back by the same project, stack and cluster", async () => {
    const program = await formed();
    program.replaceResource();
    assert.equal((await program.run()).error, undefined);
    assert.deepEqual(program.differences(), []);
    await destroy(program);
    assert.deepEqual(states(program), gone);
  });

  it("is nobody's where it was formed by hand, and then it is taken only by name", async () => {
    const program = await formed();
    for (const name of Object.keys(labelsOf(program))) delete labelsOf(program)[name];
    program.replaceResource();
    assert.match(
      await refusal(program),
      /^control-1, control-2, control-3 are managers of the swarm swarm-1, which carries no name .* write adopt: /,
    );
    await destroy(program);
    assert.deepEqual(states(program), lives);
  });

  it("changes by adopting it by name, after which its former owner leaves it alone, and says so", async () => {
    const prod = await formed();
    const other = dev(prod);
    other.adopt = "swarm-1";
    assert.equal((await other.run()).error, undefined);
    assert.equal(
      await refusal(prod),
      "The swarm swarm-1 was managed by this program, but shop/dev/main has taken it over since. Nothing was changed. " +
        'Leave it to shop/dev/main, and remove it here with "pulumi destroy", which then leaves the swarm alone. ' +
        'Or, to take it back, write adopt: { swarmId: "swarm-1" } and run again; where that is written already, add membership: { abandonedSwarm: "swarm-1" } for one run.',
    );
    await destroy(prod);
    assert.deepEqual(states(prod), lives);
    await destroy(other);
    assert.deepEqual(states(prod), gone);
  });

  it("is not taken from each other for ever by two programs that both adopt it", async () => {
    const prod = await formed();
    const other = dev(prod);
    for (const program of [prod, other]) program.adopt = "swarm-1";
    await prod.run();
    assert.equal((await other.run()).error, undefined);
    assert.match(await refusal(prod), /but shop\/dev\/main has taken it over since/);
    prod.abandonedSwarm = "swarm-1";
    assert.equal((await prod.run()).error, undefined);
    assert.match(await refusal(other), /but shop\/prod\/main has taken it over since/);
  });

  it("follows a project or stack that was renamed", async () => {
    const program = await formed();
    program.owner = { ...program.owner, stack: "shop/production/main" };
    assert.deepEqual((await program.run()).calls.mutations.length, 1);
    assert.equal(labelsOf(program)["pulumi-swarm.stack"], "shop/production/main");
  });

  it("stays ours where version 0.1.0 formed it, which wrote only a mark of its own and remembered it", async () => {
    const program = await formed();
    delete labelsOf(program)["pulumi-swarm.stack"];
    program.owner = { ...program.owner, mark: "another" };
    assert.equal((await program.run()).error, undefined);
    assert.deepEqual(labelsOf(program), { "pulumi-swarm.owner": "another", "pulumi-swarm.stack": "shop/prod/main" });
    assert.deepEqual((await program.run()).calls.mutations, []);
  });

  it("stays ours where the first run of version 0.1.0 marked nothing yet", async () => {
    const program = await formed();
    for (const name of Object.keys(labelsOf(program))) delete labelsOf(program)[name];
    program.memory = { swarmId: "swarm-1", nodes: program.memory?.nodes ?? {} };
    assert.equal((await program.run()).error, undefined);
    assert.equal(labelsOf(program)["pulumi-swarm.stack"], "shop/prod/main");
  });
});
