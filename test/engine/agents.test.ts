import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Intent } from "../../components/agents/request";
import { root } from "../../tools/lab/pulumi";

interface World {
  swarm: { readonly id: string; readonly labels: object; readonly nodes: readonly { readonly hostname: string }[] } | null;
  readonly hosts: Record<string, { readonly nodeId: string; readonly files: Record<string, string>; dead?: boolean }>;
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The programs that Pulumi runs, as they are, over hosts that exist only in a file. */
class Fleet {
  private readonly folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-fleet-"));
  private readonly file = join(this.folder, "fleet.json");

  get world(): World {
    return JSON.parse(readFileSync(this.file, "utf8")) as World;
  }

  start(world: object): void {
    writeFileSync(this.file, JSON.stringify(world));
  }

  change(by: (world: World) => void): void {
    const { world } = this;
    by(world);
    writeFileSync(this.file, JSON.stringify(world));
  }

  run(program: string, request: object, printed?: string): Ran {
    const { PULUMI_COMMAND_STDOUT: _none, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--require", join(__dirname, "fleet", "fake.js"), join(root, "dist", "components", "agents", `${program}.js`)],
      {
        env: { ...env, FLEET: this.file, ...(printed !== undefined && { PULUMI_COMMAND_STDOUT: printed }) },
        input: JSON.stringify(request),
        encoding: "utf8",
      },
    );
    return { code: status, stdout, stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

type Hosts = readonly (readonly [key: string, address: string])[];

const memoryKey = "A".repeat(43);
const described = (hosts: Hosts): readonly { readonly key: string; readonly connection: object }[] =>
  hosts.map(([key, host]) => ({ key, connection: { host, hostKey: "k" } }));

/** As the cluster asks for managers. */
function upRequest(hosts: Hosts, intent: Intent): object {
  return {
    cluster: "main",
    project: "shop",
    stack: "prod",
    intent,
    memoryKey,
    hosts: described(hosts).map((host, place) => ({
      ...host,
      role: "manager",
      group: "control",
      site: "rack",
      address: hosts[place]?.[1],
      labels: {},
    })),
    engine: { source: "present" },
    bridges: {
      docker0: { subnet: "10.9.32.0/20", gateway: "10.9.32.1/20" },
      gwbridge: { subnet: "10.9.16.0/20", gateway: "10.9.16.1" },
      mtu: 1500,
    },
    needs: { features: ["vxlan"] },
    overlay: { kind: "native", mtu: 1450, slices: {} },
    ingress: { subnet: "10.9.0.0/20", gateway: "10.9.0.1" },
    dockerPool: "10.8.0.0/16",
    swarm: {},
    reachableSeconds: 5,
    drainSeconds: 1,
    underlayMtu: 1500,
  };
}

describe("a manager that has come since, and sorts first, where those that hold the memory do not answer", function () {
  this.timeout(600_000);
  const [one, two]: [Hosts, Hosts] = [
    [["control-1", "10.0.0.1"]],
    [
      ["backup-1", "10.0.0.9"],
      ["control-1", "10.0.0.1"],
    ],
  ];
  let fleet: Fleet;
  beforeEach(() => (fleet = new Fleet()));
  afterEach(() => fleet.remove());

  const answers = (whether: boolean): void => fleet.change(({ hosts }) => Object.assign(hosts["10.0.0.1"] ?? {}, { dead: !whether }));

  /** As the two resources are run by one `up`. */
  function up(hosts: Hosts, printed: { readonly intent?: string; readonly swarm?: string }): { readonly intent: string; readonly ran: Ran } {
    const asked = { hosts: described(hosts), holders: hosts.map(([key]) => key) };
    const intent = fleet.run("intent", asked, printed.intent).stdout;
    return { intent, ran: fleet.run("swarm-up", upRequest(hosts, JSON.parse(intent) as Intent), printed.swarm) };
  }

  it("forms no second swarm where a run has told of one, and says whom it cannot ask and what to do", () => {
    const first = up(one, {});
    assert.equal(first.ran.code, 0, first.ran.stdout);
    answers(false);
    const second = up(two, { intent: first.intent, swarm: first.ran.stdout });
    assert.equal(second.ran.code, 1);
    assert.match(
      second.ran.stdout,
      /^None of the hosts that can be seen is a manager of this cluster's swarm swarmofathousandhosts0000 any more\. Nothing was changed\./,
    );
    assert.match(second.ran.stdout, /set membership\.abandonedSwarm to "swarmofathousandhosts0000"/);
    assert.match(second.ran.stdout, /- control-1: cannot be reached over SSH/);
    assert.deepEqual(
      fleet.world.swarm?.nodes.map(({ hostname }) => hostname),
      ["control-1"],
    );
    answers(true);
    const third = up(two, { intent: second.intent, swarm: first.ran.stdout });
    assert.equal(third.ran.code, 0, third.ran.stdout);
    assert.deepEqual(
      fleet.world.swarm?.nodes.map(({ hostname }) => hostname),
      ["control-1", "backup-1"],
    );
  });

  it("names managers that the program no longer has, too", () => {
    const first = up(one, {});
    answers(false);
    const { ran } = up(two.slice(0, 1), { intent: first.intent, swarm: first.ran.stdout });
    assert.equal(ran.code, 1);
    assert.match(ran.stdout, /- control-1: cannot be reached over SSH/);
  });

  it("forms none where the first run failed, either: the intent knows who came first", () => {
    const first = up(one, {});
    answers(false);
    const second = up(two, { intent: first.intent });
    assert.equal(second.ran.code, 1);
    assert.match(second.ran.stdout, /^A swarm is formed on the first manager, control-1, and it cannot be seen: it may already hold a swarm/);
    assert.deepEqual(
      fleet.world.swarm?.nodes.map(({ hostname }) => hostname),
      ["control-1"],
    );
  });
});

describe("a host that leaves, and that another stack has taken meanwhile", function () {
  this.timeout(600_000);
  let fleet: Fleet;
  beforeEach(() => (fleet = new Fleet()));
  afterEach(() => fleet.remove());

  it("keeps the overlay that the other one put there", () => {
    const onHosts = { settings: {}, programs: [], space: "10.96.0.0/16", slices: [], secret: "secret" };
    const up = (hosts: Hosts, generation: number): Ran =>
      fleet.run("swarm-up", {
        ...upRequest(hosts, { mark: "prod-mark", generation }),
        overlay: { kind: "weave", mtu: 1376, slices: {}, onHosts },
      });
    const stays = ["control-1", "10.0.0.1"] as const;
    const [mine, others] = ["10.0.0.2", "10.0.0.3"] as const;
    const first = up([stays, ["control-2", mine], ["control-3", others]], 1);
    assert.equal(first.code, 0, first.stdout);
    fleet.change(({ hosts }) => {
      for (const address of [mine, others]) Object.assign(hosts[address]?.files ?? {}, { overlay: "weave" });
      Object.assign(hosts[others]?.files ?? {}, { "owner.overlay": '"SwarmCluster main of shop, stack dev"' });
    });
    const second = up([stays], 2);
    assert.equal(second.code, 0, second.stdout);
    assert.deepEqual(fleet.world.hosts[mine]?.files, {});
    assert.deepEqual(fleet.world.hosts[others]?.files, { overlay: "weave", "owner.overlay": '"SwarmCluster main of shop, stack dev"' });
  });
});

describe("a destroy by another stack", function () {
  this.timeout(600_000);
  const workers: Hosts = [
    ["control-1", "10.0.0.2"],
    ["edge-1", "10.0.0.3"],
  ];
  let fleet: Fleet;
  beforeEach(() => (fleet = new Fleet()));
  afterEach(() => fleet.remove());

  /** A manager and two workers with an overlay, as their stack's `up` left them. */
  function standing(files: Record<string, string>): void {
    const nodes = [["p1", "10.0.0.1", "manager"] as const, ...workers.map(([key, address]) => [key, address, "worker"] as const)].map(
      ([hostname, address, role]) => ({ id: `node-${hostname}`, hostname, address, role, availability: "active", state: "ready", labels: {} }),
    );
    fleet.start({
      swarm: { id: "prods", version: 1, labels: { "pulumi-swarm.owner": "prod-mark", "pulumi-swarm.stack": "shop/prod/main" }, nodes, made: 3 },
      hosts: Object.fromEntries(nodes.map(({ id, address }) => [address, { address, nodeId: id, files: { ...files } }])),
      runs: [],
    });
  }

  const request = (stack: string): object => ({ cluster: "main", project: "shop", stack, memoryKey, reachableSeconds: 5, hosts: described(workers) });
  const filesOf = (): unknown[] => workers.map(([, address]) => fleet.world.hosts[address]?.files);

  it("leaves workers whose managers it does not see as they are: their overlay, and what their own stack remembers there", () => {
    const files = { overlay: "weave", "memory.main": "sealed with another key", "owner.overlay": '"SwarmCluster main of shop, stack prod"' };
    standing(files);
    const { code, stderr, stdout } = fleet.run("swarm-down", request("dev"), JSON.stringify({ mark: "dev-mark", generation: 1, ways: [] }));
    assert.equal(code, 0, stdout);
    assert.match(stderr, /control-1: .*is in another swarm than the one that is dissolved, and was left alone/);
    assert.deepEqual(filesOf(), [files, files]);
  });

  it("does so, too, where no run has written yet whose the overlay is", () => {
    const files = { overlay: "weave", "memory.main": "sealed with another key" };
    standing(files);
    fleet.run("swarm-down", request("dev"), JSON.stringify({ mark: "dev-mark", generation: 1, ways: [] }));
    assert.deepEqual(filesOf(), [files, files]);
  });

  it("leaves an overlay alone on hosts that are in no swarm yet", () => {
    const files = { overlay: "weave", "owner.overlay": '"SwarmCluster main of shop, stack prod"' };
    standing(files);
    fleet.change((world) => {
      for (const [, address] of workers) Object.assign(world.hosts[address] ?? {}, { nodeId: "" });
    });
    fleet.run("swarm-down", request("dev"), JSON.stringify({ mark: "dev-mark", generation: 1, ways: [] }));
    assert.deepEqual(filesOf(), [files, files]);
  });

  it("is not what a stack's own destroy is, also by a state of version 0.1.0, whose hosts do not say whose their overlay is", () => {
    const nodes = Object.fromEntries(workers.map(([key, host]) => [key, { nodeId: `node-${key}`, connection: { host, hostKey: "k" } }]));
    const states = [
      { files: { "owner.overlay": '"SwarmCluster main of shop, stack prod"' }, printed: { mark: "prod-mark", generation: 1, ways: [] }, nodeId: "" },
      { files: {}, printed: { swarmId: "prods", hosts: nodes }, nodeId: undefined },
    ];
    for (const { files, printed, nodeId } of states) {
      standing({ overlay: "weave", ...files });
      fleet.change((world) => {
        for (const [, address] of workers) if (nodeId !== undefined) Object.assign(world.hosts[address] ?? {}, { nodeId });
      });
      const { code, stdout } = fleet.run("swarm-down", request("prod"), JSON.stringify(printed));
      assert.equal(code, 0, stdout);
      assert.deepEqual(filesOf(), [{}, {}]);
      assert.deepEqual(fleet.world.swarm?.nodes.length, nodeId === undefined ? 1 : 3);
    }
  });
});
