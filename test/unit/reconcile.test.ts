import assert from "node:assert/strict";
import fc from "fast-check";
import {
  dissolveMembership,
  type DesiredSwarm,
  type MembershipMemory,
  MembershipRefusal,
  type MembershipResult,
  reconcileMembership,
} from "../../components/membership/reconcile";
import type { SwarmRole } from "../../components/membership/swarm-api";
import { Crash, desire, World } from "./simulation";

const three = desire({ a: "manager", b: "manager", c: "manager" });

async function run(world: World, desired: DesiredSwarm, memory?: MembershipMemory): Promise<MembershipResult> {
  return reconcileMembership(desired, world.access(desired), memory, world.io);
}

async function formed(desired: DesiredSwarm): Promise<{ world: World; memory: MembershipResult }> {
  const world = new World();
  return { world, memory: await run(world, desired) };
}

async function refusal(world: World, desired: DesiredSwarm, memory?: MembershipMemory): Promise<string> {
  const before = world.mutations;
  const error = await run(world, desired, memory).then(
    () => assert.fail("it was not refused"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MembershipRefusal, String(error));
  assert.equal(world.mutations, before, "a refusal changes nothing");
  return error.message;
}

function active(roles: Readonly<Record<string, SwarmRole>>): string[] {
  return Object.entries(roles)
    .map(([key, role]) => `${key} ${role} active`)
    .sort();
}

describe("the membership reconciler", () => {
  for (const roles of [
    { a: "manager" },
    { a: "manager", b: "worker", c: "worker" },
    { a: "manager", b: "manager", c: "manager", d: "worker" },
  ] as const) {
    it(`forms a swarm of ${Object.values(roles).join(", ")}, and does nothing the second time`, async () => {
      const { world, memory } = await formed(desire(roles));
      assert.deepEqual(world.members(), active(roles));
      assert.deepEqual(memory.failures, []);
      const before = world.mutations;
      assert.deepEqual(await run(world, desire(roles), memory), memory);
      assert.equal(world.mutations, before);
    });
  }

  it("takes a replaced first manager back into the old swarm and strikes its old node off", async () => {
    const { world, memory } = await formed(three);
    world.boot("a");
    const after = await run(world, three, memory);
    assert.equal(after.swarmId, memory.swarmId);
    assert.notEqual(after.nodes["a"], memory.nodes["a"]);
    assert.deepEqual(world.members(), active({ a: "manager", b: "manager", c: "manager" }));
  });

  it("does so too when its memory of the last run was lost", async () => {
    const { world, memory } = await formed(three);
    world.boot("a");
    const after = await run(world, three);
    assert.equal(after.swarmId, memory.swarmId);
    assert.deepEqual(world.members(), active({ a: "manager", b: "manager", c: "manager" }));
  });

  it("drains a host that is taken out before it strikes it off", async () => {
    const { world, memory } = await formed(desire({ a: "manager", b: "worker", c: "worker" }));
    world.lines.length = 0;
    await run(world, desire({ a: "manager", c: "worker" }), memory);
    assert.deepEqual(world.members(), active({ a: "manager", c: "worker" }));
    const told = world.lines.filter((line) => line.startsWith("b:"));
    assert.match(told[0] ?? "", /is drained/);
    assert.match(told[1] ?? "", /waiting for 1 task to move/);
    assert.match(told.at(-2) ?? "", /has left the swarm/);
    assert.match(told.at(-1) ?? "", /is taken out/);
  });

  it("removes a dead host that is taken out", async () => {
    const { world, memory } = await formed(desire({ a: "manager", b: "manager", c: "manager", d: "worker" }));
    world.kill("d");
    world.kill("c");
    const after = await run(world, desire({ a: "manager", b: "manager", e: "manager" }), memory);
    assert.deepEqual(after.failures, []);
    assert.deepEqual(world.members(), active({ a: "manager", b: "manager", e: "manager" }));
    assert.ok(world.leastMargin >= 0);
  });

  it("leaves nodes alone that it never knew, and labels that others set", async () => {
    const { world, memory } = await formed(desire({ a: "manager" }));
    await world
      .api("stranger")
      .join({ token: `SWMTKN-worker-${memory.swarmId}`, managers: ["a:2377"], advertiseAddress: "s", listenAddress: "s:2377", dataPathAddress: "s" });
    await world.api("a").updateNode(memory.nodes["a"] ?? "", { labels: { mine: "1", "pulumi-swarm.host": "a" } });
    await run(world, desire({ a: "manager" }), memory);
    assert.deepEqual(world.members(), ["a manager active", "stranger worker active"]);
    const [node] = await world.api("a").nodes();
    assert.equal(node?.labels["mine"], "1");
  });

  it("sets the labels of the program and takes them off again", async () => {
    const labelled = (labels: Record<string, string>): DesiredSwarm => ({
      members: desire({ a: "manager" }).members.map((member) => ({ ...member, labels })),
    });
    const { world, memory } = await formed(labelled({ disk: "fast", zone: "x" }));
    const labels = async (): Promise<unknown> => (await world.api("a").nodes())[0]?.labels;
    assert.deepEqual(await labels(), { disk: "fast", zone: "x", "pulumi-swarm.host": "a", "pulumi-swarm.labels": "disk,zone" });
    await run(world, labelled({ zone: "y" }), memory);
    assert.deepEqual(await labels(), { zone: "y", "pulumi-swarm.host": "a", "pulumi-swarm.labels": "zone" });
  });

  it("makes a worker a manager and back in place", async () => {
    const { world, memory } = await formed(desire({ a: "manager", b: "worker", c: "worker" }));
    const up = await run(world, three, memory);
    assert.deepEqual(up.nodes, memory.nodes);
    assert.deepEqual(world.members(), active({ a: "manager", b: "manager", c: "manager" }));
    const down = await run(world, desire({ a: "worker", b: "worker", c: "manager" }), up);
    assert.deepEqual(down.nodes, memory.nodes);
    assert.deepEqual(world.members(), active({ a: "worker", b: "worker", c: "manager" }));
    assert.ok(world.leastMargin >= 0);
  });

  it("leaves a join that hangs in the background and joins anew", async () => {
    const { world, memory } = await formed(desire({ a: "manager" }));
    world.machine("b").state = "pending";
    const after = await run(world, desire({ a: "manager", b: "worker" }), memory);
    assert.deepEqual(after.failures, []);
    assert.deepEqual(world.members(), active({ a: "manager", b: "worker" }));
  });

  it("does the other hosts when one cannot be reached, and names that one", async () => {
    const world = new World();
    world.boot("b");
    world.kill("b");
    const after = await run(world, desire({ a: "manager", b: "worker", c: "worker" }));
    assert.deepEqual(after.failures, [{ host: "b", reason: "b: cannot be reached" }]);
    assert.deepEqual(world.members(), active({ a: "manager", c: "worker" }));
  });

  it("keeps a host's node while the host cannot be seen", async () => {
    const { world, memory } = await formed(desire({ a: "manager", b: "worker" }));
    world.kill("b");
    world.now += 60_000;
    const after = await run(world, desire({ a: "manager", b: "worker", c: "worker" }), memory);
    assert.deepEqual(
      after.failures.map(({ host }) => host),
      ["b"],
    );
    assert.equal(after.nodes["b"], memory.nodes["b"]);
    assert.deepEqual(world.members(), active({ a: "manager", b: "worker", c: "worker" }));
  });

  it("puts no join token into a message", async () => {
    const { world, memory } = await formed(desire({ a: "manager" }));
    const api = world.api("b");
    const broken = { ...api, join: ({ token }: { token: string }) => Promise.reject(new Error(`cannot join with ${token}`)) };
    const desired = desire({ a: "manager", b: "worker" });
    const access = world.access(desired).map((host) => (host.key === "b" ? { kind: "ready" as const, key: "b", api: broken } : host));
    const after = await reconcileMembership(desired, access, memory, world.io);
    assert.match(after.failures[0]?.reason ?? "", /cannot join with \(token\)/);
    assert.doesNotMatch(JSON.stringify(after) + world.lines.join(), /SWMTKN/);
  });

  describe("refuses, changing nothing,", () => {
    it("hosts that are in different swarms", async () => {
      const { world } = await formed(desire({ a: "manager" }));
      await run(world, desire({ b: "manager" }));
      assert.match(await refusal(world, three), /different swarms: a in swarm\d+; b in swarm\d+.*docker swarm leave --force/);
    });

    it("a worker of another swarm", async () => {
      const { world, memory } = await formed(desire({ a: "manager" }));
      await run(world, desire({ x: "manager", b: "worker" }));
      assert.match(await refusal(world, desire({ a: "manager", b: "worker" }), memory), /^b is in another swarm than swarm\d+/);
    });

    it("a swarm that has lost its quorum, and says what to bring back and the last resort", async () => {
      const { world, memory } = await formed(three);
      world.kill("b");
      world.kill("c");
      const said = await refusal(world, three, memory);
      assert.match(said, /lost its quorum: a of 3 hosts/);
      assert.match(said, /Bring back b, c and run again/);
      assert.match(said, /run on a: docker swarm init --force-new-cluster/);
    });

    it("a cluster whose swarm is on none of its hosts, unless it is given up by its id", async () => {
      const { world, memory } = await formed(desire({ a: "manager" }));
      world.boot("a");
      const desired = desire({ a: "manager" });
      assert.match(await refusal(world, desired, memory), new RegExp(`set membership.abandonedSwarm to "${memory.swarmId}"`));
      const after = await run(world, { ...desired, abandonedSwarm: memory.swarmId }, memory);
      assert.notEqual(after.swarmId, memory.swarmId);
      assert.deepEqual(world.members(), active({ a: "manager" }));
    });

    it("to demote a manager when that would lose the quorum", async () => {
      const { world, memory } = await formed(three);
      world.kill("c");
      world.now += 60_000;
      assert.match(
        await refusal(world, desire({ a: "manager", b: "worker", c: "manager" }), memory),
        /Taking the manager b out would leave 1 of 2 managers, and 2 are needed.*Bring back c first/,
      );
    });

    it("to form a swarm when no manager can be reached", async () => {
      const world = new World();
      world.boot("a");
      world.kill("a");
      assert.match(await refusal(world, desire({ a: "manager", b: "worker" })), /No manager can be reached.*\n {2}- a: cannot be reached/);
    });

    it("a locked manager that is the only one", async () => {
      const { world, memory } = await formed(desire({ a: "manager" }));
      world.machine("a").state = "locked";
      assert.match(await refusal(world, desire({ a: "manager" }), memory), /a is locked: run "docker swarm unlock"/);
    });
  });

  const edits: readonly (readonly [string, DesiredSwarm, DesiredSwarm, (world: World) => void])[] = [
    ["a formation", desire({}), desire({ a: "manager", b: "manager", c: "manager", d: "worker" }), () => {}],
    ["an addition", desire({ a: "manager" }), desire({ a: "manager", b: "manager", c: "manager", d: "worker" }), () => {}],
    ["a removal", desire({ a: "manager", b: "manager", c: "manager", d: "worker" }), desire({ a: "manager" }), () => {}],
    ["an exchange of roles", desire({ a: "manager", b: "worker" }), desire({ a: "worker", b: "manager" }), () => {}],
    ["a replacement of the first manager", three, three, (world) => void world.boot("a")],
  ];
  for (const [what, from, to, happens] of edits) {
    it(`finishes ${what} that was cut off after any of its changes`, async () => {
      for (let cut = 0; cut < 40; cut++) {
        const world = new World();
        const memory = from.members.length > 0 ? await run(world, from) : undefined;
        happens(world);
        world.crashAfter = world.mutations + cut;
        const first = await run(world, to, memory).then(
          (result) => (result.failures.length > 0 ? "crashed" : "done"),
          (error: unknown) => (error instanceof Crash || error instanceof Error ? "crashed" : "?"),
        );
        world.crashAfter = Number.POSITIVE_INFINITY;
        world.now += 5_000;
        const after = await run(world, to, memory);
        assert.deepEqual(after.failures, [], `cut after ${cut}`);
        assert.deepEqual(world.members(), active(Object.fromEntries(to.members.map(({ key, role }) => [key, role]))), `cut after ${cut}`);
        assert.ok(world.leastMargin >= 0, `quorum, cut after ${cut}`);
        assert.equal(world.swarms().size, 1);
        if (first === "done") return;
      }
      assert.fail("forty changes were not enough");
    });
  }

  it("comes to what was asked through any sequence of edits, never losing the quorum", async () => {
    const keys = ["a", "b", "c", "d", "e", "f"];
    const roles = fc
      .record(Object.fromEntries(keys.map((key) => [key, fc.constantFrom("manager", "worker", "absent")])))
      .filter((record) => Object.values(record).includes("manager"));
    const step = fc.record({ roles, replaced: fc.option(fc.constantFrom(...keys)) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
        const world = new World();
        let memory: MembershipResult | undefined;
        for (const { roles: wanted, replaced } of steps) {
          const members = world.members();
          const managers = members.filter((line) => line.includes("manager")).length;
          const isManager = members.some((line) => line.startsWith(`${replaced ?? "-"} manager`));
          // A swarm outlives the loss of a minority of its managers, no more.
          if (replaced && members.length > 0 && (!isManager || managers > 2)) world.boot(replaced);
          const desired = desire(Object.fromEntries(Object.entries(wanted).filter(([, role]) => role !== "absent")) as Record<string, SwarmRole>);
          const kept =
            memory === undefined ||
            Object.keys(memory.nodes).some(
              (key) => desired.members.some((member) => member.key === key) && world.members().some((line) => line.startsWith(`${key} manager`)),
            );
          if (!kept) continue;
          try {
            memory = await run(world, desired, memory);
          } catch (error) {
            assert.ok(error instanceof MembershipRefusal, String((error as Error).stack));
            continue;
          }
          assert.deepEqual(memory.failures, []);
          assert.deepEqual(world.members(), active(Object.fromEntries(desired.members.map(({ key, role }) => [key, role]))));
          assert.ok(world.leastMargin >= 0);
          const before = world.mutations;
          await run(world, desired, memory);
          assert.equal(world.mutations, before, "the second run changes nothing");
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("the end of a swarm", () => {
  it("takes every host out, and names the ones that do not answer", async () => {
    const { world, memory } = await formed(desire({ a: "manager", b: "worker", c: "worker" }));
    world.kill("c");
    const { failures } = await dissolveMembership(world.access(desire({ a: "manager", b: "worker", c: "worker" })), memory, world.io);
    assert.deepEqual(failures, [{ host: "c", reason: "c: cannot be reached" }]);
    assert.equal(world.swarms().size, 0);
  });
});
