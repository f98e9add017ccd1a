import assert from "node:assert/strict";
import { weaveAgent } from "../../components/overlays/weave/agent";
import type { WeaveSettings } from "../../components/overlays/weave/args";
import type { OverlayHost, OverlayWork } from "../../components/overlays/agent";
import type { HostProgram } from "../../components/programs/program";
import type { Failure } from "../../components/remote/each";
import type { ScriptValues } from "../../components/remote/script";

type Session = NonNullable<OverlayHost["session"]>;

const program: HostProgram = {
  name: "weave",
  version: "2.6.5",
  source: { kind: "image", reference: "example.com/weave:2.6.5", files: { weaver: "/home/weave/weaver" } },
};

/** What weave.sh does on a host, as far as the others can see it. */
class SimulatedHost {
  files: ScriptValues | undefined;
  running: ScriptValues | undefined;
  program: string | undefined;
  restarts = 0;
  forgotten: string[] = [];
  name: string;

  constructor(
    readonly key: string,
    readonly address: string,
    private readonly all: SimulatedHosts,
  ) {
    this.name = all.drawName();
  }

  /** Another machine takes its place. */
  replace(): void {
    this.files = this.running = this.program = undefined;
    this.name = this.all.drawName();
  }

  does(verb: string, values: ScriptValues): unknown {
    switch (verb) {
      case "install":
        this.program = values["ID"];
        return { changed: true };
      case "prune":
        if (values["KEEP"] === "") this.program = undefined;
        return {};
      case "look":
        return { label: this.files?.["LABEL"] ?? "", running: this.running?.["LABEL"] ?? "" };
      case "up": {
        this.files = values;
        this.running ??= values;
        // Peers are taken by one that runs.
        const { PEERS: _new, ...files } = values;
        const { PEERS: _old, ...running } = this.running;
        const stale = JSON.stringify(files) !== JSON.stringify(running);
        return { changed: true, stale, other: files["PASSWORD"] !== running["PASSWORD"], name: this.name };
      }
      case "restart":
        this.running = this.files;
        this.restarts += 1;
        this.all.mostApart = Math.max(this.all.mostApart, this.all.apart().length);
        return {};
      case "check":
        return { connections: this.all.connections(this) };
      case "forget":
        this.forgotten = (values["PEERS"] ?? "").split("\n").filter(Boolean);
        return { changed: true };
      case "down":
        this.files = this.running = undefined;
        return { changed: true };
      default:
        throw new Error(`unknown verb ${verb}`);
    }
  }
}

class SimulatedHosts {
  readonly hosts: readonly SimulatedHost[];
  readonly progress: string[] = [];
  readonly calls: string[] = [];
  /** Host and verb to what goes wrong there. */
  readonly broken = new Map<string, string>();
  readonly blocked = new Set<string>();
  cut = Number.POSITIVE_INFINITY;
  mostApart = 0;
  private drawn = 0;

  constructor(...keys: readonly string[]) {
    this.hosts = keys.map((key, index) => new SimulatedHost(key, `10.0.0.${index + 1}`, this));
  }

  drawName(): string {
    this.drawn += 1;
    return `02:00:00:00:00:0${this.drawn}`;
  }

  host(key: string): SimulatedHost {
    return this.hosts.find((one) => one.key === key) ?? assert.fail(key);
  }

  meet(one: SimulatedHost, other: SimulatedHost): boolean {
    if (!one.running || !other.running || this.blocked.has(one.key) || this.blocked.has(other.key)) return false;
    return one.running["PASSWORD"] === other.running["PASSWORD"];
  }

  apart(): string[] {
    const up = this.hosts.filter(({ running }) => running);
    return up.flatMap((one) => up.filter((other) => other.key > one.key && !this.meet(one, other)).map((other) => `${one.key} ${other.key}`));
  }

  connections(of: SimulatedHost): string[] {
    return this.hosts
      .filter((other) => other !== of && other.running)
      .map((other) =>
        this.meet(of, other)
          ? `-> ${other.address}:6783 established encrypted sleeve ${other.name}(${other.key})`
          : `-> ${other.address}:6783 failed Unable to decrypt TCP msg, retry: later`,
      );
  }

  async run(
    what: "up" | "depart",
    {
      without = [],
      departing = [],
      mtu = 1412,
      secret = 1,
      ...settings
    }: Partial<WeaveSettings> & { without?: string[]; departing?: string[]; mtu?: number; secret?: number } = {},
  ): Promise<string[]> {
    this.calls.length = 0;
    this.mostApart = 0;
    const described = this.hosts.map(({ key, address }): OverlayHost => ({
      key,
      address,
      role: "worker",
      group: "g",
      site: "rack",
      engine: "26.1.5",
      ...(!without.includes(key) && { session: this.session(key) }),
    }));
    const work: OverlayWork<WeaveSettings> = {
      settings: { encrypted: true, fastDatapath: true, trusted: {}, ...settings },
      programs: [program],
      hosts: described.filter(({ key }) => !departing.includes(key)),
      departing: described.filter(({ key }) => departing.includes(key)),
      space: "10.0.0.0/8",
      slices: [],
      underlayMtu: 1500,
      mtu,
      secret: Buffer.alloc(32, secret).toString("base64url"),
      io: { progress: (host, line) => void this.progress.push(`${host ?? "all"}: ${line}`) },
    };
    return show(await weaveAgent[what](work));
  }

  private session(key: string): Session {
    const script = async (_text: string, values: ScriptValues, { verb }: { verb: string }): Promise<unknown> => {
      if (this.calls.length >= this.cut) throw new Error("the run was killed");
      this.calls.push(`${key} ${verb}`);
      await Promise.resolve();
      const broken = this.broken.get(`${key} ${verb}`);
      if (broken !== undefined) throw new Error(broken);
      return this.host(key).does(verb, values);
    };
    return { script: script as Session["script"] };
  }
}

function show(failures: readonly Failure[]): string[] {
  return failures.map(({ host, reason }) => `${host}: ${reason}`);
}

const restarts = (hosts: SimulatedHosts): number[] => hosts.hosts.map((host) => host.restarts);

describe("the agent of the Weave overlay", () => {
  it("starts a router on every host, which knows all others and shares their password", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    assert.deepEqual(await hosts.run("up"), []);
    assert.deepEqual(hosts.apart(), []);
    assert.deepEqual(hosts.host("b").files?.["PEERS"], "10.0.0.1\n10.0.0.3");
    const { PASSWORD: secret, ROUTER: text, ...values } = hosts.host("a").files ?? {};
    assert.match(secret ?? "", /^[\w-]{43}$/);
    assert.match(text ?? "", /^#!\/bin\/sh\n/);
    assert.deepEqual(values, {
      HOST: "10.0.0.1",
      PORT: "6783",
      NICKNAME: "a",
      MTU: "1412",
      FAST: "true",
      TRUSTED: "",
      PEERS: "10.0.0.2\n10.0.0.3",
      PROGRAM: `/usr/local/lib/pulumi-swarm/weave/${hosts.host("a").program}/weaver`,
      PLUGIN: "pulumi-swarm-weave:latest",
      LABEL: values["LABEL"],
    });
  });

  it("knows routers by the names that they drew, also on a machine that takes another one's place", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    await hosts.run("up");
    hosts.host("b").replace();
    assert.deepEqual(await hosts.run("up"), []);
    // What a router lists of the machine that is lost is no connection to the one that took its place.
    const a = hosts.host("a");
    const does = a.does.bind(a);
    const lost = { connections: ["-> 10.0.0.2:6783 established encrypted sleeve 02:00:00:00:00:02(b)", ...hosts.connections(a).slice(1)] };
    a.does = (verb, values) => (verb === "check" ? lost : does(verb, values));
    const [failure = "", ...others] = await hosts.run("up");
    assert.match(failure, /Weave's router is not connected to that of/);
    assert.deepEqual(others, []);
  });

  it("does nothing to routers when nothing is asked for", async () => {
    const hosts = new SimulatedHosts("a", "b");
    await hosts.run("up");
    assert.deepEqual(await hosts.run("up"), []);
    assert.deepEqual(restarts(hosts), [0, 0]);
  });

  it("trusts the network of its own site and no other", async () => {
    const hosts = new SimulatedHosts("a", "b");
    await hosts.run("up", { trusted: { rack: "10.0.0.0/24", cloud: "10.9.0.0/24" } });
    assert.equal(hosts.host("a").files?.["TRUSTED"], "10.0.0.0/24");
  });

  it("restarts routers one after the other for anything but a password, and stops where one does not come back", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    await hosts.run("up");
    assert.deepEqual(await hosts.run("up", { mtu: 1400 }), []);
    assert.deepEqual(restarts(hosts), [1, 1, 1]);
    assert.deepEqual(hosts.calls.filter((call) => /restart|check/.test(call)).slice(0, 6), [
      "a restart",
      "a check",
      "b restart",
      "b check",
      "c restart",
      "c check",
    ]);
    hosts.broken.set("b restart", "Weave's router does not start: no");
    assert.deepEqual(await hosts.run("up", { mtu: 1300 }), ["b: Weave's router does not start: no"]);
    assert.deepEqual(restarts(hosts), [2, 1, 1]);
    assert.ok(hosts.progress.includes("all: c: left as they are, since b is not connected again"), hosts.progress.join("\n"));
    hosts.broken.clear();
    assert.deepEqual(await hosts.run("up", { mtu: 1300 }), []);
    assert.deepEqual(restarts(hosts), [2, 2, 2], "a is as it should be already");
  });

  it("changes the password of all at once, too, where the cluster's secret is another one, as when Pulumi's state was lost", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    await hosts.run("up");
    assert.deepEqual(await hosts.run("up", { secret: 2 }), []);
    assert.deepEqual(restarts(hosts), [1, 1, 1]);
    assert.deepEqual(hosts.apart(), []);
    // Cut off between two restarts, and ended by the next run.
    hosts.broken.set("b restart", "the run was killed");
    hosts.broken.set("c restart", "the run was killed");
    await hosts.run("up", { secret: 3 });
    hosts.broken.clear();
    assert.deepEqual(await hosts.run("up", { secret: 3 }), []);
    assert.deepEqual(hosts.apart(), []);
  });

  it("changes the password of all at once, and only when all were told", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    await hosts.run("up");
    const before = hosts.host("a").running?.["PASSWORD"];
    await hosts.run("up", { rotation: "second", without: ["c"] });
    assert.deepEqual(restarts(hosts), [0, 0, 0]);
    assert.match(hosts.progress.join("\n"), /all: the routers keep their password for now: c cannot be told of another one/);
    assert.deepEqual(await hosts.run("up", { rotation: "second" }), []);
    assert.deepEqual(restarts(hosts), [1, 1, 1]);
    assert.notEqual(hosts.host("a").running?.["PASSWORD"], before);
    assert.deepEqual(hosts.apart(), []);
    const order = hosts.calls.filter((call) => / (up|restart)$/.test(call)).map((call) => call.split(" ")[1]);
    assert.deepEqual(order, ["up", "up", "up", "restart", "restart", "restart"]);
  });

  it("takes a password back that one host did not take", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    await hosts.run("up");
    const before = hosts.host("a").files?.["PASSWORD"];
    hosts.broken.set("b up", "no space left on device");
    assert.deepEqual(await hosts.run("up", { rotation: "second" }), ["b: no space left on device"]);
    assert.deepEqual(restarts(hosts), [0, 0, 0]);
    assert.deepEqual(new Set(hosts.hosts.map(({ files }) => files?.["PASSWORD"])), new Set([before]));
    assert.deepEqual(hosts.apart(), []);
  });

  it("gives a new host the password of the others while theirs cannot be changed", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    await hosts.run("up");
    hosts.host("c").files = hosts.host("c").running = undefined;
    assert.deepEqual(await hosts.run("up", { rotation: "second", without: ["b"] }), []);
    assert.deepEqual(hosts.apart(), []);
  });

  it("ends a change of the password wherever a run was cut off, and never leaves a host alone for good", async () => {
    for (let limit = 1, whole = false; !whole; limit += 1) {
      const hosts = new SimulatedHosts("a", "b", "c");
      await hosts.run("up");
      hosts.cut = limit;
      whole = (await hosts.run("up", { rotation: "second" })).length === 0;
      hosts.cut = Number.POSITIVE_INFINITY;
      assert.deepEqual(await hosts.run("up", { rotation: "second" }), [], `cut after ${limit}`);
      assert.deepEqual(hosts.apart(), [], `cut after ${limit}`);
      assert.equal(new Set(hosts.hosts.map(({ running }) => running?.["LABEL"])).size, 1);
    }
  });

  it("names the host whom the others refuse, and the reason", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    await hosts.run("up");
    const c = hosts.host("c");
    // Its file is right, and yet it runs with another one.
    const does = c.does.bind(c);
    c.does = (verb, values) => {
      const result = does(verb, values);
      if (c.running) c.running = { ...c.running, PASSWORD: "wrong" };
      return result;
    };
    const failures = await hosts.run("up");
    assert.equal(failures.length, 1, failures.join("\n"));
    assert.match(failures[0] ?? "", /^c: Weave's router is not connected to those of a, b after 20 s: they have another password than it has/);
  });

  it("lets what fails on one host be a failure of that host", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    hosts.broken.set("b install", "the image cannot be pulled");
    assert.deepEqual(await hosts.run("up"), ["b: the image cannot be pulled"]);
    assert.deepEqual(
      hosts.calls.filter((call) => call.startsWith("b ")),
      ["b install"],
    );
    assert.ok(hosts.host("a").running && hosts.host("c").running);
  });

  it("does not hold a host back that leaves, whatever is wrong with it", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    await hosts.run("up");
    hosts.broken.set("c up", "no space left on device");
    assert.deepEqual(await hosts.run("up", { departing: ["c"] }), []);
    assert.match(hosts.host("a").files?.["PEERS"] ?? "", /10\.0\.0\.3/, "it is a peer until it has left");
    assert.match(hosts.progress.join("\n"), /c: warning: .*no space left on device/);
  });

  it("forgets those that have left, and takes all of it off them", async () => {
    const hosts = new SimulatedHosts("a", "b", "c");
    await hosts.run("up");
    assert.deepEqual(await hosts.run("depart", { departing: ["c"] }), []);
    assert.deepEqual(
      hosts.hosts.map(({ forgotten }) => forgotten),
      [["10.0.0.3"], ["10.0.0.3"], []],
    );
    assert.equal(hosts.host("c").files, undefined);
    assert.equal(hosts.host("c").program, undefined);
    // A machine that is gone.
    await hosts.run("up");
    assert.deepEqual(await hosts.run("depart", { departing: ["c"], without: ["c"] }), []);
    assert.ok(hosts.host("c").running, "nobody reached it");
  });
});
