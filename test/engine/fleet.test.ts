import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExistingMachine } from "../../components/hosts/existing";
import { type CommandResult, root, run, Stack } from "../../tools/lab/pulumi";

interface World {
  readonly swarm: { readonly nodes: readonly unknown[] } | null;
  readonly hosts: Readonly<Record<string, { readonly nodeId: string; readonly files: object }>>;
  readonly runs: readonly Run[];
}

/** What a run of one of our programs was given, took, and sent to the hosts, in bytes, seconds and MiB. */
interface Run {
  readonly program: string;
  readonly stdout: number;
  readonly stderr: number;
  readonly request: number;
  readonly memory: number;
  readonly seconds: number;
  readonly mostSessions: number;
  readonly manager: Sent;
  readonly worker: Sent;
}

/** The most that went to one host. */
interface Sent {
  readonly dials: number;
  /** Scripts, and the lock. */
  readonly commands: number;
  /** Of the commands, with what they are given. */
  readonly bytes: number;
  /** Requests to Docker. */
  readonly calls: number;
}

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const machines = (count: number, network: number): Record<string, ExistingMachine> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, place) => [`h${place}`, { address: `10.${network}.${Math.floor(place / 250)}.${(place % 250) + 1}`, hostKey }]),
  );

/** Linux gives one environment variable 128 KiB; half of it is left for longer names and keys. */
const most = 64 * 1024;

/** A cluster of hosts that exist only in a file, through Pulumi and its plugin. */
class FleetStack {
  private readonly stack: Stack;
  private readonly spec: string;
  private readonly fleet: string;

  constructor(name: string) {
    // A state of megabytes after each of two thousand steps takes the engine three quarters of the time, and is not what this is about.
    this.stack = new Stack(name, join(__dirname, "program"), { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" });
    this.spec = join(root, ".lab", `${name}.json`);
    this.fleet = join(root, ".lab", `${name}-hosts.json`);
  }

  get world(): World {
    return JSON.parse(readFileSync(this.fleet, "utf8")) as World;
  }

  async start(): Promise<void> {
    mkdirSync(join(root, ".lab"), { recursive: true });
    rmSync(this.fleet, { force: true });
    // A run that was killed has left its lock.
    await this.stack.cancel();
    await this.remove();
    await this.stack.init();
    await this.stack.setConfig({ "engine:spec": this.spec });
  }

  async remove(): Promise<void> {
    await this.stack.pulumi(["stack", "rm", "--yes", "--force"]);
  }

  /** @param ssh From where SSH is let in. */
  async up(hosts: number, ssh = "203.0.113.0/24"): Promise<void> {
    const site = { site: "rack", network: "10.64.0.0/11" };
    const groups = {
      control: { role: "manager", ...site, machines: machines(3, 70) },
      edge: { role: "worker", ...site, machines: machines(hosts - 3, 71) },
    };
    writeFileSync(this.spec, JSON.stringify({ fleet: this.fleet, groups, firewall: { ssh: [ssh] } }));
    this.mustSucceed(await this.stack.up());
  }

  async destroy(): Promise<void> {
    this.mustSucceed(await this.stack.destroy());
  }

  async members(): Promise<number> {
    return (await this.stack.outputs<{ members: number }>()).members;
  }

  /** As text, and how many resources are in it. */
  async state(): Promise<{ readonly bytes: number; readonly resources: number }> {
    const text = await this.stack.export();
    const { deployment } = JSON.parse(text) as { readonly deployment: { readonly resources: readonly unknown[] } };
    return { bytes: text.length, resources: deployment.resources.length };
  }

  lastRun(program: string): Run {
    return this.world.runs.filter((run) => run.program === `${program}.js`).at(-1) ?? assert.fail(`${program} has not run`);
  }

  private mustSucceed({ code, stdout, stderr }: CommandResult): void {
    assert.equal(code, 0, (stdout + stderr).slice(-4000));
    for (const run of this.world.runs) {
      const given = `${run.program} was given ${run.stdout} bytes of its last output, and ${run.stderr} of its last progress`;
      assert.ok(run.stdout < most && run.stderr < most, given);
    }
  }
}

/** What a first `up` of so many hosts cost. */
interface Cost extends Run {
  readonly hosts: number;
  readonly intent: number;
  readonly state: number;
  readonly resources: number;
}

describe("a cluster of a thousand hosts, through the engine and the plugin", function () {
  this.timeout(600_000);
  const [few, thousand] = [new FleetStack("fleet-few"), new FleetStack("fleet")];
  const costs: Cost[] = [];
  before(() => Promise.all([few.start(), thousand.start()]));
  after(() => Promise.all([few.remove(), thousand.remove()]));

  async function make(stack: FleetStack, hosts: number): Promise<void> {
    await stack.up(hosts);
    const { bytes, resources } = await stack.state();
    const cost = { hosts, ...stack.lastRun("swarm-up"), intent: stack.lastRun("intent").request, state: bytes, resources };
    const { request, intent, memory, worker, manager, seconds } = cost;
    const kilo = (size: number): string => `${Math.round(size / 1000)} kB`;
    process.stdout.write(
      `      ${hosts} hosts: asked by ${kilo(request + intent)}, ${resources} resources, state ${kilo(bytes)}, ` +
        `sent ${kilo(worker.bytes)} to a worker and ${kilo(manager.bytes)} to a manager, ${Math.round(memory)} MiB, ${seconds.toFixed(1)} s\n`,
    );
    costs.push(cost);
  }

  it("is a tenth of it first, to compare with, on whose hosts a second up works no more", async () => {
    await make(few, 100);
    const { length } = few.world.runs;
    await few.up(100);
    assert.equal(few.world.runs.length, length);
  });

  it("is asked about its hosts of one manager, and not again by an edit that changes none of what it tells", async () => {
    assert.equal(few.lastRun("nodes").mostSessions, 1);
    const { length } = few.world.runs;
    await few.up(100, "198.51.100.0/24");
    const edit = few.world.runs.slice(length);
    assert.deepEqual(edit.map(({ program }) => program).sort(), ["intent.js", "swarm-up.js"]);
    // Nothing is asked twice, nobody's name is written once more, and the proof is one more connection.
    const { worker, manager } = few.lastRun("swarm-up");
    assert.ok(worker.dials === 2 && worker.commands <= 6 && worker.calls <= 7, JSON.stringify(worker));
    assert.ok(manager.dials === 2 && manager.commands <= 10, JSON.stringify(manager));
    assert.equal(await few.members(), 100);
    await few.up(99, "198.51.100.0/24");
    assert.ok(few.world.runs.slice(length).some(({ program }) => program === "nodes.js"));
    assert.equal(await few.members(), 99);
    await few.destroy();
  });

  it("is made", async () => {
    await make(thousand, 1000);
    assert.equal(thousand.world.swarm?.nodes.length, 1000);
    assert.equal(await thousand.members(), 1000);
  });

  it("is one resource more for each host, and for each a kilobyte and a half of requests and less than ten kilobytes of state", () => {
    for (const { hosts, resources, request, intent, state } of costs) {
      assert.ok(resources <= hosts + 35, `${resources} resources`);
      assert.ok(request + intent <= 1_600 * hosts + 5_000, `${request} and ${intent} bytes`);
      assert.ok(state <= 10_000 * hosts, `${state} bytes`);
    }
  });

  it("takes not more memory than a small machine has", () => {
    for (const { hosts, memory } of costs) assert.ok(memory <= 150 + hosts * 0.15, `${hosts} hosts: ${memory} MiB`);
  });

  it("takes ten commands and a dozen requests of a worker, the same of one in a hundred, over one connection and another one that proves its firewall", () => {
    const [dials, commands, calls] = (["dials", "commands", "calls"] as const).map((what) => costs.map(({ worker }) => worker[what]));
    for (const counts of [dials, commands, calls]) assert.deepEqual(new Set(counts).size, 1, JSON.stringify(counts));
    for (const { hosts, worker, manager, mostSessions } of costs) {
      assert.ok(worker.dials <= 2 && worker.commands <= 10 && worker.calls <= 12, `${hosts} hosts: ${JSON.stringify(worker)}`);
      // Each node's labels are set by one of them.
      assert.ok(manager.dials <= 2 && manager.commands <= 15 && manager.calls <= 1.2 * hosts + 50, `${hosts} hosts: ${JSON.stringify(manager)}`);
      assert.ok(mostSessions <= hosts + 64, `${hosts} hosts: ${mostSessions} sessions`);
    }
  });

  it("sends each host what it sends to one alone, and the addresses that its firewall lets in; and managers what is known of all hosts", () => {
    for (const { hosts, worker, manager } of costs) {
      assert.ok(worker.bytes <= 120_000 + 60 * hosts, `${hosts} hosts: ${worker.bytes} bytes`);
      assert.ok(manager.bytes <= 150_000 + 150 * hosts, `${hosts} hosts: ${manager.bytes} bytes`);
    }
  });

  it("is edited", async () => {
    await thousand.up(990);
    assert.equal(thousand.world.swarm?.nodes.length, 990);
  });

  it("is destroyed, and leaves nothing on any host", async () => {
    await thousand.destroy();
    const { swarm, hosts } = thousand.world;
    assert.equal(swarm?.nodes.length, 0);
    const left = Object.values(hosts).filter(({ nodeId, files }) => nodeId !== "" || Object.keys(files).length > 0);
    assert.deepEqual(left, []);
  });
});

describe("a cluster of version 0.1.0 that has more hosts than its way to remember them bears", function () {
  this.timeout(600_000);
  const stack = new Stack("fleet-0-1-0", join(__dirname, "program"), { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" });
  const folder = join(root, ".lab", "fleet-0-1-0");
  const [spec, fleet, state] = [join(folder, "spec.json"), join(folder, "hosts.json"), join(folder, "state.json")];
  // Few, with as much to remember of each as there was of ten: hundreds take minutes.
  const workers = 27;
  const own = "a mark of its own";

  before(async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const site = { site: "rack", network: "10.64.0.0/11" };
    const control = { role: "manager", ...site, machines: machines(3, 70) };
    writeFileSync(
      spec,
      JSON.stringify({
        fleet,
        groups: { control, edge: { role: "worker", ...site, machines: machines(workers, 71) } },
        firewall: { enforce: "none" },
      }),
    );
    await stack.cancel();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await stack.init();
    await stack.setConfig({ "engine:spec": spec });
    const made = await stack.up();
    assert.equal(made.code, 0, (made.stdout + made.stderr).slice(-4000));
    await leaveAsVersion010Did();
  });
  after(async () => {
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** No memory on the hosts, a mark alone on the swarm, and all hosts in the output of the one command. */
  async function leaveAsVersion010Did(): Promise<void> {
    const world = JSON.parse(readFileSync(fleet, "utf8")) as Fleet010;
    world.swarm.labels = { "pulumi-swarm.owner": own };
    for (const host of Object.values(world.hosts)) host.files = {};
    writeFileSync(fleet, JSON.stringify(world));
    const said = {
      swarmId: world.swarm.id,
      owner: own,
      overlay: { kind: "native", slices: {} },
      hosts: Object.fromEntries(
        world.swarm.nodes.map(({ id, hostname, role, address }) => {
          const connection = { host: address, port: 22, user: "root", hostKey };
          const host = { group: hostname.split("-")[0], role, site: "rack", provider: "existing", address, publicAddress: address };
          return [hostname, { ...host, nodeId: id, engine: "26.1.5", containerSubnet: "10.96.200.0/24", connection, publicKey: "k".repeat(5000) }];
        }),
      ),
    };
    assert.ok(JSON.stringify(said).length > 128 * 1024);
    const exported = await stack.pulumi(["stack", "export", "--show-secrets"]);
    const { deployment, ...rest } = JSON.parse(exported.stdout) as State010;
    const isNew = (urn: string): boolean => /::prod-(memory-key|members|managers|swarm-intent|nodes|overlay-since)$/.test(urn);
    const resources = deployment.resources
      .filter(({ urn }) => !isNew(urn))
      .map(({ dependencies, propertyDependencies = {}, ...resource }) => {
        const old = { ...resource, dependencies: (dependencies ?? []).filter((urn) => !isNew(urn)), propertyDependencies: {} };
        for (const [name, urns] of Object.entries(propertyDependencies))
          Object.assign(old.propertyDependencies, { [name]: (urns ?? []).filter((urn) => !isNew(urn)) });
        if (!resource.urn.endsWith("$command:local:Command::prod-swarm")) return old;
        const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: JSON.stringify(JSON.stringify(said)) };
        return { ...old, outputs: { ...resource.outputs, stdout: secret, stderr: "x".repeat(200 * 1024) }, additionalSecretOutputs: ["stdout"] };
      });
    writeFileSync(state, JSON.stringify({ ...rest, deployment: { ...deployment, resources } }));
    await take();
  }

  async function take(): Promise<void> {
    const taken = await stack.pulumi(["stack", "import", "--file", state]);
    assert.equal(taken.code, 0, taken.stdout + taken.stderr);
  }

  it("cannot be changed by this version either", async () => {
    const { code, stdout, stderr } = await stack.up();
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /argument list too long/);
  });

  it("is upgraded as docs/limits.md says, and stays the same swarm of the same members", async () => {
    const before = JSON.parse(readFileSync(fleet, "utf8")) as Fleet010;
    const exported = await stack.pulumi(["stack", "export", "--show-secrets"]);
    writeFileSync(state, exported.stdout);
    const page = readFileSync(join(root, "docs", "limits.md"), "utf8");
    const [, script = assert.fail("docs/limits.md has no such program")] = /^node -e '\n([\s\S]*?)^'$/m.exec(page) ?? [];
    const shrunk = await run("node", ["-e", script], { cwd: folder });
    assert.equal(shrunk.code, 0, shrunk.stderr);
    await take();
    const up = await stack.up();
    assert.equal(up.code, 0, (up.stdout + up.stderr).slice(-4000));
    const { swarm } = JSON.parse(readFileSync(fleet, "utf8")) as Fleet010;
    assert.deepEqual(
      [swarm.id, swarm.made, swarm.nodes.map(({ id }) => id)],
      [before.swarm.id, before.swarm.made, before.swarm.nodes.map(({ id }) => id)],
    );
    assert.equal((await stack.outputs<{ members: number }>()).members, workers + 3);
  });
});

interface Fleet010 {
  readonly swarm: {
    readonly id: string;
    readonly made: number;
    labels: Readonly<Record<string, string>>;
    readonly nodes: readonly { readonly id: string; readonly hostname: string; readonly role: string; readonly address: string }[];
  };
  readonly hosts: Readonly<Record<string, { files: object }>>;
}

interface State010 {
  readonly deployment: {
    readonly resources: readonly {
      readonly urn: string;
      readonly dependencies?: readonly string[] | null;
      readonly propertyDependencies?: Readonly<Record<string, readonly string[] | null>>;
      readonly outputs?: object;
    }[];
  };
}
