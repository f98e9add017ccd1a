import assert from "node:assert/strict";
import fc from "fast-check";
import { SimulatedEtcd } from "./simulated-etcd";
import { failure } from "./fake-io";

const three = ["a", "b", "c"];

async function formed(keys: readonly string[], more: readonly string[] = []): Promise<SimulatedEtcd> {
  const etcd = new SimulatedEtcd([...keys, ...more]);
  const { failures } = await etcd.up(keys);
  assert.deepEqual(failures, []);
  return etcd;
}

/** The verbs that change something, in order. */
function changes({ calls }: SimulatedEtcd): string[] {
  return calls.filter((call) => !/ (look|members|wait|whole)$/.test(call));
}

describe("the members of etcd", () => {
  for (const keys of [["a"], three, ["a", "b", "c", "d", "e"]]) {
    it(`are ${keys.length} at once when there were none`, async () => {
      const etcd = await formed(keys);
      assert.deepEqual(etcd.members(), keys);
    });
  }

  it("are left alone when they are as they should be", async () => {
    const etcd = await formed(three);
    const run = await etcd.up(three);
    assert.deepEqual([changes(etcd), run.failures], [[], []]);
  });

  it("are formed without a host that cannot be reached, and take it in later", async () => {
    const etcd = new SimulatedEtcd(three);
    await etcd.up(three, { away: ["c"] });
    assert.deepEqual(etcd.members(), ["a", "b"]);
    await etcd.up(three);
    assert.deepEqual(etcd.members(), three);
  });

  it("grow one after the other, and never by one that has no data yet", async () => {
    const etcd = await formed(["a"], ["b", "c"]);
    await etcd.up(three);
    assert.deepEqual(etcd.members(), three);
    assert.deepEqual(
      changes(etcd).filter((call) => / (add|join|promote)$/.test(call)),
      ["a add", "b join", "a promote", "a add", "c join", "a promote"],
    );
  });

  it("shrink one after the other, after a snapshot", async () => {
    const etcd = await formed(["a", "b", "c", "d", "e"]);
    await etcd.up(three);
    assert.deepEqual(etcd.members(), three);
    assert.deepEqual(changes(etcd), ["a snapshot", "a remove", "d leave", "a remove", "e leave"]);
  });

  it("take another machine in for one that is lost: the old one is struck off first", async () => {
    const etcd = await formed(three);
    etcd.replace("b");
    const { failures } = await etcd.up(three);
    assert.deepEqual(failures, []);
    assert.deepEqual(etcd.members(), three);
    assert.deepEqual(
      changes(etcd).filter((call) => !/certify|request/.test(call)),
      ["a snapshot", "a remove", "a add", "b join", "a promote"],
    );
  });

  it("are replaced by a group of others, with those that leave helping to the end", async () => {
    const etcd = await formed(three, ["x", "y", "z"]);
    const { failures } = await etcd.up(["x", "y", "z"], { leaving: three });
    assert.deepEqual(failures, []);
    assert.deepEqual(etcd.members(), ["x", "y", "z"]);
    assert.ok(three.every((key) => !etcd.machine(key).data));
  });

  it("wait for one that is away rather than replace it", async () => {
    const etcd = await formed(three);
    etcd.machine("c").running = false;
    const run = await etcd.up(three, { away: ["c"] });
    assert.deepEqual([run.failures, changes(etcd)], [[], []]);
    assert.deepEqual(etcd.members(), three);
  });

  it("start again where they have stopped", async () => {
    const etcd = await formed(three);
    for (const key of ["b", "c"]) etcd.machine(key).running = false;
    await etcd.up(three);
    assert.deepEqual(changes(etcd), ["b start", "c start"]);
    assert.ok(etcd.machine("c").running);
  });

  it("get another version one after the other, after a snapshot", async () => {
    const etcd = await formed(three);
    await etcd.up(three, { version: "2" });
    assert.deepEqual(changes(etcd), ["a snapshot", "a start", "b start", "c start"]);
    assert.deepEqual(
      etcd.calls.filter((call) => / (start|wait)$/.test(call)),
      ["a start", "a wait", "b start", "b wait", "c start", "c wait"],
    );
  });

  it("keep their version while one more away would be too many, and say for whom they wait", async () => {
    const etcd = await formed(three);
    etcd.machine("c").running = false;
    const { failures } = await etcd.up(three, { version: "2", away: ["c"] });
    assert.deepEqual(changes(etcd), []);
    assert.deepEqual(
      failures.map(({ host, reason }) => `${host}: ${reason}`),
      ["a", "b"].map((key) => `${key}: its etcd keeps its old settings until c answers: without both there would be no majority. Run again then`),
    );
  });

  it("are told another address of a host that has moved", async () => {
    const etcd = await formed(three);
    etcd.machine("b").address = "10.0.0.20";
    await etcd.up(three);
    assert.deepEqual(etcd.members(), three);
    assert.deepEqual(
      changes(etcd).filter((call) => !/certify|request/.test(call)),
      ["a snapshot", "a readdress", "b start"],
    );
  });

  it("clear a member's rest from a host that was struck off meanwhile, and join it anew", async () => {
    const etcd = await formed(three);
    etcd.machine("c").running = false;
    // Out of the program while it is away, and in again.
    const away = etcd.machine("c");
    etcd.machines.delete("c");
    await etcd.up(["a", "b"]);
    assert.deepEqual(etcd.members(), ["a", "b"]);
    etcd.machines.set("c", away);
    const { failures } = await etcd.up(three);
    assert.deepEqual(failures, []);
    assert.deepEqual(etcd.members(), three);
  });
});

describe("etcd without a majority", () => {
  it("is refused while it may come back, with the hosts named and nothing changed", async () => {
    const etcd = await formed(three);
    for (const key of ["b", "c"]) etcd.machine(key).running = false;
    const message = await failure(etcd.up(three, { away: ["b", "c"] }));
    assert.match(
      message,
      /^etcd: no majority of its members answers, and b, c cannot be reached \(members: a, b, c\)\. Nothing is changed and nothing is lost/,
    );
    assert.match(
      message,
      /Start b or c and run again; if that machine is gone permanently, remove the host from the program or replace its machine$/,
    );
    assert.deepEqual(changes(etcd), []);
  });

  it("goes on from what is left when the others' machines are lost for good", async () => {
    const etcd = await formed(three);
    for (const key of ["b", "c"]) etcd.replace(key);
    const { failures } = await etcd.up(three);
    assert.deepEqual(failures, []);
    assert.deepEqual(etcd.members(), three);
    assert.deepEqual(
      changes(etcd)
        .filter((call) => !/certify|request/.test(call))
        .slice(0, 2),
      ["a snapshot", "a recover"],
    );
    assert.match(etcd.progress.join("\n"), /a: etcd: a majority is lost permanently \(b, c\): going on from the data of a/);
  });

  it("goes on from what is left when the others were taken out of the program", async () => {
    const etcd = await formed(three);
    for (const key of ["b", "c"]) etcd.machines.delete(key);
    await etcd.up(["a"]);
    assert.deepEqual(etcd.members(), ["a"]);
  });

  it("is made anew when all machines are lost: what is in it follows from the plan", async () => {
    const etcd = await formed(three);
    for (const key of three) etcd.replace(key);
    await etcd.up(three);
    assert.deepEqual(etcd.members(), three);
  });

  it("is not made anew beside one that may still be there", async () => {
    const etcd = await formed(three);
    for (const key of ["a", "b"]) etcd.machine(key).data = undefined;
    const message = await failure(etcd.up(three, { away: ["c"] }));
    assert.match(message, /no majority of its members answers, and c cannot be reached/);
    assert.deepEqual(changes(etcd), []);
  });

  it("says so when members run but do not find each other", async () => {
    const etcd = await formed(three);
    etcd.apart = true;
    const message = await failure(etcd.up(three));
    assert.equal(message, "etcd: its members run on a, b, c, but do not find each other: look whether 2380/tcp is open between them");
  });

  it("refuses to let a host go that the majority needs, with the one named that is away", async () => {
    const etcd = await formed(three);
    etcd.machine("b").running = false;
    const message = await failure(etcd.up(["a", "b"], { away: ["b"], leaving: ["c"] }));
    assert.match(
      message,
      /^etcd: without c, 1 of 2 members would be left, which is no majority, as b cannot be reached\. Nothing is changed\. Start b, or take that host out as well/,
    );
    assert.deepEqual(changes(etcd), []);
  });

  it("is refused when none of its hosts can be worked on", async () => {
    const etcd = await formed(three, ["worker"]);
    assert.match(await failure(etcd.up(three, { away: three })), /none of its hosts can be worked on \(a, b, c\)/);
  });
});

describe("a failure on one of etcd's hosts", () => {
  it("is that host's; the others are members, and the next run takes it in", async () => {
    const etcd = await formed(["a"], ["b", "c"]);
    etcd.broken.set("b", "join");
    const { failures } = await etcd.up(three);
    assert.deepEqual(failures, [{ host: "b", reason: "b: join failed" }]);
    assert.deepEqual(etcd.members(), ["a", "c"]);
    etcd.broken.clear();
    await etcd.up(three);
    assert.deepEqual(etcd.members(), three);
  });

  it("keeps those that are to leave when their place is not taken", async () => {
    const etcd = await formed(three, ["x", "y", "z"]);
    for (const key of ["x", "y", "z"]) etcd.broken.set(key, "join");
    const message = await failure(etcd.up(["x", "y", "z"], { leaving: three }));
    assert.match(message, /none of the hosts that are to be its members can be worked on \(x, y, z\); nothing is changed/);
    assert.deepEqual(etcd.members(), three);
  });

  it("is said of a host that has flannel of another cluster, and how to be rid of it", async () => {
    const etcd = await formed(three, ["d"]);
    etcd.machine("d").authority = "another authority";
    const { failures } = await etcd.up([...three, "d"]);
    assert.deepEqual(
      failures.map(({ host }) => host),
      ["d"],
    );
    const said = failures[0]?.reason ?? "";
    assert.match(
      said,
      /there is flannel of another cluster on it.*Take it off first, if nothing needs it: systemctl stop 'pulumi-swarm-flannel\*'; rm -rf/,
    );
    assert.doesNotMatch(said, /(enable|disable)[^;]*\*/, "systemctl takes no patterns for these");
    assert.deepEqual(etcd.members(), three);
  });

  it("is said, too, where all hosts have it, as when the cluster's secret is lost with Pulumi's state", async () => {
    const etcd = await formed(three);
    for (const key of three) etcd.machine(key).authority = "another authority";
    const said = await failure(etcd.up(three));
    assert.match(
      said,
      /none of its hosts can be worked on \(a, b, c\): there is flannel of another cluster on it, or of this one with a secret that is lost/,
    );
  });
});

describe("a run on etcd that is cut off", () => {
  interface Scenario {
    readonly name: string;
    readonly begin: () => Promise<SimulatedEtcd>;
    readonly run: (etcd: SimulatedEtcd) => Promise<unknown>;
    readonly ends: readonly string[];
  }
  const replaced =
    (...keys: string[]) =>
    async (): Promise<SimulatedEtcd> => {
      const etcd = await formed(three);
      for (const key of keys) etcd.replace(key);
      return etcd;
    };
  const scenarios: readonly Scenario[] = [
    { name: "forming", begin: () => Promise.resolve(new SimulatedEtcd(three)), run: (etcd) => etcd.up(three), ends: three },
    { name: "growing from one to three", begin: () => formed(["a"], ["b", "c"]), run: (etcd) => etcd.up(three), ends: three },
    { name: "shrinking from five to three", begin: () => formed(["a", "b", "c", "d", "e"]), run: (etcd) => etcd.up(three), ends: three },
    { name: "replacing a machine", begin: replaced("b"), run: (etcd) => etcd.up(three), ends: three },
    { name: "recovering from the loss of two machines", begin: replaced("b", "c"), run: (etcd) => etcd.up(three), ends: three },
    { name: "replacing all machines", begin: replaced(...three), run: (etcd) => etcd.up(three), ends: three },
    {
      name: "replacing the whole group",
      begin: () => formed(three, ["x", "y", "z"]),
      run: (etcd) => etcd.up(["x", "y", "z"], { leaving: three }),
      ends: ["x", "y", "z"],
    },
    { name: "changing the version", begin: () => formed(three), run: (etcd) => etcd.up(three, { version: "2" }), ends: three },
    {
      name: "changing an address",
      begin: async () => {
        const etcd = await formed(three);
        etcd.machine("b").address = "10.0.0.20";
        return etcd;
      },
      run: (etcd) => etcd.up(three),
      ends: three,
    },
  ];
  for (const { name, begin, run, ends } of scenarios) {
    it(`while ${name}, before any step, is finished by the next`, async () => {
      const whole = await begin();
      await run(whole);
      const steps = whole.calls.length;
      assert.ok(steps > 5);
      for (let call = 1; call <= steps; call += 1) {
        const etcd = await begin();
        etcd.cutBefore = call;
        await run(etcd).catch(() => {});
        etcd.cutBefore = undefined;
        const again = (await run(etcd)) as { readonly failures: readonly unknown[] };
        assert.deepEqual(again.failures, [], `step ${call}`);
        assert.deepEqual(etcd.members(), ends, `step ${call}`);
        await run(etcd);
        assert.deepEqual(changes(etcd), [], `step ${call}: a further run changes something`);
      }
    });
  }
});

describe("etcd through any changes of its hosts", () => {
  const all = ["a", "b", "c", "d", "e"];
  const event = fc.record({
    wanted: fc.subarray(all, { minLength: 1 }),
    replaced: fc.option(fc.constantFrom(...all)),
    stopped: fc.option(fc.constantFrom(...all)),
    away: fc.option(fc.constantFrom(...all)),
    cutBefore: fc.option(fc.integer({ min: 1, max: 40 })),
  });

  it("has its members in the end, and never loses a majority by a run of ours", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 6 }), async (events) => {
        const etcd = new SimulatedEtcd(all);
        for (const { wanted, replaced, stopped, away, cutBefore } of events) {
          if (replaced !== null) etcd.replace(replaced);
          if (stopped !== null) etcd.machine(stopped).running = false;
          etcd.cutBefore = cutBefore ?? undefined;
          // Refusals are right where a majority is at stake; a lost majority is an assertion that fails.
          await etcd.up(wanted, away === null ? {} : { away: [away] }).catch((error: unknown) => {
            if (error instanceof assert.AssertionError) throw error;
          });
          etcd.cutBefore = undefined;
        }
        const last = events.at(-1)?.wanted ?? [];
        // The first may stumble over what a member of long ago has left; it goes with the second.
        await etcd.up(last);
        const { failures } = await etcd.up(last);
        assert.deepEqual(failures, []);
        assert.deepEqual(etcd.members(), last);
      }),
      { numRuns: 60 },
    );
  });
});
