import assert from "node:assert/strict";
import { checkMembership, type DesiredSwarm, type HostAccess, MembershipRefusal } from "../../components/membership/reconcile";
import { afterHosts } from "../../components/membership/refusals";
import { memberFor, type Roles, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

const three: Roles = { "control-1": "manager", "control-2": "manager", "control-3": "manager" };

interface Check {
  readonly error: Error | undefined;
  readonly mutations: readonly string[];
}

/** As a run does before it works on any host. */
async function check(program: SimulatedProgram, without: readonly string[] = [], addresses: Readonly<Record<string, string>> = {}): Promise<Check> {
  const run = program.swarm.begin();
  const keys = Object.keys(program.roles).sort();
  const desired: DesiredSwarm = {
    owner: program.owner,
    members: keys.map((key) => {
      const member = memberFor(program.swarm, key, program.roles[key] ?? "worker");
      return { ...member, advertiseAddress: addresses[key] ?? member.advertiseAddress };
    }),
    ...(program.adopt !== undefined && { adopt: program.adopt }),
  };
  const access = run.access(keys).map((host): HostAccess => {
    return without.includes(host.key) ? { kind: "failed", key: host.key, reason: "its engine does not run yet", curable: true } : host;
  });
  const error = await checkMembership(desired, access, program.memory, run.io()).then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  return { error, mutations: run.calls.mutations };
}

async function formed(roles: Roles): Promise<SimulatedProgram> {
  const program = new SimulatedProgram(new SimulatedSwarm(), roles);
  assert.deepEqual((await program.run()).result?.failures, []);
  return program;
}

async function mustRefuse(program: SimulatedProgram, said: RegExp, addresses: Readonly<Record<string, string>> = {}): Promise<void> {
  const { error, mutations } = await check(program, [], addresses);
  assert.ok(error instanceof MembershipRefusal, `a refusal was expected, but: ${error?.message ?? "it went through"}`);
  assert.match(error.message, said);
  assert.match(error.message, /Nothing was changed/);
  assert.deepEqual(mutations, []);
}

async function mustPass(program: SimulatedProgram, without: readonly string[] = []): Promise<void> {
  assert.deepEqual(await check(program, without), { error: undefined, mutations: [] });
}

describe("the look at the swarm before anything is done to a host", () => {
  it("refuses other addresses of members", async () => {
    const program = await formed(three);
    await mustRefuse(program, /control-2: is 10\.0\.0\.\d+, to be 10\.9\.9\.9/, { "control-2": "10.9.9.9" });
  });

  it("refuses hosts of somebody else's swarm", async () => {
    const program = await formed(three);
    program.roles = { ...three, "edge-1": "worker" };
    program.swarm.formByHand("edge-1");
    await mustRefuse(program, /different swarms/);
  });

  it("refuses where so few managers are left that nothing done on hosts can bring a leader back", async () => {
    const program = await formed(three);
    program.swarm.kill("control-2");
    program.swarm.kill("control-3");
    await mustRefuse(program, /lost its quorum/);
  });

  it("refuses to take out a manager while another is dead", async () => {
    const program = await formed(three);
    program.swarm.kill("control-3");
    await program.swarm.clock.sleep(60_000);
    program.roles = { "control-1": "manager", "control-3": "manager" };
    await mustRefuse(program, /1 of 2 managers/);
  });

  it("lets managers pass that answer but have no leader, for their tunnels may be what is missing; the later look refuses", async () => {
    const program = await formed(three);
    const [raft] = program.swarm.rafts;
    assert.ok(raft);
    raft.electedAt = Infinity;
    await mustPass(program);
    const { error } = await program.run();
    assert.ok(error instanceof MembershipRefusal);
    assert.match(error.message, /lost its quorum/);
    assert.match(afterHosts(error), /The swarm was not changed; engines, firewalls and tunnels of its hosts are as the program says/);
    assert.doesNotMatch(afterHosts(error), /Nothing was changed/);
  });

  it("lets fresh hosts without an engine pass, and a last manager that goes while its successor has none yet", async () => {
    const fresh = new SimulatedProgram(new SimulatedSwarm(), three);
    await mustPass(fresh, Object.keys(three));
    const program = await formed({ "control-1": "manager" });
    program.roles = { "control-1": "worker", "control-2": "manager" };
    await mustPass(program, ["control-2"]);
  });

  it("changes nothing where nothing is to be refused", async () => {
    await mustPass(await formed(three));
  });
});
