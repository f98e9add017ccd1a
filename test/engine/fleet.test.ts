import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExistingMachine } from "../../components/hosts/existing";
import { type CommandResult, root, run, Stack } from "../../tools/lab/pulumi";

interface World {
  readonly swarm: { readonly nodes: readonly unknown[] } | null;
  readonly hosts: Readonly<Record<string, { readonly nodeId: string; readonly files: object }>>;
  readonly runs: readonly { readonly program: string; readonly stdout: number; readonly stderr: number }[];
}

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const machines = (count: number, network: number): Record<string, ExistingMachine> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, place) => [`h${place}`, { address: `10.${network}.${Math.floor(place / 250)}.${(place % 250) + 1}`, hostKey }]),
  );

/** Linux gives one environment variable 128 KiB; half of it is left for longer names and keys. */
const most = 64 * 1024;

describe("a cluster of a thousand hosts, through the engine and the plugin", function () {
  this.timeout(600_000);
  // A state of megabytes after each of two thousand steps takes the engine three quarters of the time, and is not what this is about.
  const stack = new Stack("fleet", join(__dirname, "program"), { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" });
  const [spec, fleet] = [join(root, ".lab", "fleet.json"), join(root, ".lab", "fleet-hosts.json")];
  const world = (): World => JSON.parse(readFileSync(fleet, "utf8")) as World;

  before(async () => {
    mkdirSync(join(root, ".lab"), { recursive: true });
    rmSync(fleet, { force: true });
    // A run that was killed has left its lock.
    await stack.cancel();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await stack.init();
    await stack.setConfig({ "engine:spec": spec });
  });
  after(() => stack.pulumi(["stack", "rm", "--yes", "--force"]));

  function describeCluster(workers: number): void {
    const site = { site: "rack", network: "10.64.0.0/11" };
    const groups = {
      control: { role: "manager", ...site, machines: machines(3, 70) },
      edge: { role: "worker", ...site, machines: machines(workers, 71) },
    };
    writeFileSync(spec, JSON.stringify({ fleet, groups, firewall: { enforce: "none" } }));
  }

  function mustBeSmall(): void {
    for (const { program, stdout, stderr } of world().runs) {
      assert.ok(stdout < most && stderr < most, `${program} was given ${stdout} bytes of its last output, and ${stderr} of its last progress`);
    }
  }

  function mustSucceed({ code, stdout, stderr }: CommandResult): void {
    assert.equal(code, 0, (stdout + stderr).slice(-4000));
    mustBeSmall();
  }

  it("is made", async () => {
    describeCluster(997);
    mustSucceed(await stack.up());
    assert.equal(world().swarm?.nodes.length, 1000);
    assert.equal((await stack.outputs<{ members: number }>()).members, 1000);
  });

  it("is edited", async () => {
    describeCluster(987);
    mustSucceed(await stack.up());
    assert.equal(world().swarm?.nodes.length, 990);
  });

  it("is destroyed, and leaves nothing on any host", async () => {
    mustSucceed(await stack.destroy());
    const { swarm, hosts } = world();
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
