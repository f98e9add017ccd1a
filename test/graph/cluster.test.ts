import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { calico, direct, type HostGroup, openvswitch, SwarmCluster, type SwarmClusterArgs, type Underlay } from "../../components";
import type { GatewayRequest, SwarmRequest } from "../../components/agents/request";
import * as existing from "../../components/hosts/existing";
import * as local from "../../components/hosts/local";
import { type Graph, isSecret, readable, record, type Registered, unknown } from "./harness";
import { clientKey } from "../unit/client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const three: SwarmClusterArgs = { hosts: { control: local.hosts({ role: "manager", count: 3 }) }, networks: { web: {}, db: { internal: true } } };

function racks(count: number, args: Partial<existing.ExistingHostsArgs> = {}): HostGroup {
  const machines = Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index + 1}`, { address: `192.0.2.${index + 1}`, hostKey }]));
  return existing.hosts({ role: "manager", privateKey: pulumi.secret(clientKey), machines, ...args });
}

async function graphOf(args: SwarmClusterArgs, options: { preview?: boolean } = {}): Promise<Graph> {
  const graph = await record(() => new SwarmCluster("lab", { firewall: { ssh: ["203.0.113.0/24"] }, ...args }), options);
  assert.equal(graph.error, undefined, `the program threw ${String(graph.error)}`);
  return graph;
}

function find({ resources }: Graph, type: string, name: string): Registered {
  return (
    resources.find((resource) => resource.type === type && resource.name === name) ??
    assert.fail(`no ${type} ${name} among ${names(resources).join(", ")}`)
  );
}

function names(resources: readonly Registered[]): string[] {
  return resources.map(({ type, name, parent }) => `${parent} > ${name} (${type})`);
}

const command = "command:local:Command";
const container = "docker:index/container:Container";

/** What a resource waits for: its own dependencies, and those of all its parents, whose children it is made after. */
function waitsFor(graph: Graph, { parent, dependsOn }: Registered): string[] {
  const above = graph.resources.find(({ name, custom }) => !custom && name === parent);
  return [...dependsOn, ...(above ? waitsFor(graph, above) : [])];
}

async function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** What shows the plan, whatever machines there are. */
function ofThePlan({ type, name }: Registered): boolean {
  const shows = ["SubnetAssignment", "FirewallRule", "NetworkPolicy", "Encryption"].some((kind) => type === `pulumi-swarm:index:${kind}`);
  return shows || (type === "pulumi:index:Stash" && !["lab-local-keys", "lab-underlay"].includes(name));
}

const shownPlan = [
  "lab > lab-administration (pulumi-swarm:index:Encryption)",
  "lab > lab-disks (pulumi-swarm:index:Encryption)",
  "lab > lab-docker-gwbridge (pulumi-swarm:index:SubnetAssignment)",
  "lab > lab-docker-pool (pulumi-swarm:index:SubnetAssignment)",
  "lab > lab-docker0 (pulumi-swarm:index:SubnetAssignment)",
  "lab > lab-gossip (pulumi-swarm:index:Encryption)",
  "lab > lab-ingress (pulumi-swarm:index:SubnetAssignment)",
  "lab > lab-network-db (pulumi-swarm:index:SubnetAssignment)",
  "lab > lab-network-web (pulumi-swarm:index:SubnetAssignment)",
  "lab > lab-overlay-data (pulumi-swarm:index:Encryption)",
  "lab > lab-overlay-data (pulumi-swarm:index:FirewallRule)",
  "lab > lab-ping (pulumi-swarm:index:FirewallRule)",
  "lab > lab-raft-log (pulumi-swarm:index:Encryption)",
  "lab > lab-site-control (pulumi-swarm:index:SubnetAssignment)",
  "lab > lab-ssh-control (pulumi-swarm:index:FirewallRule)",
  "lab > lab-swarm-control (pulumi-swarm:index:Encryption)",
  "lab > lab-swarm-control (pulumi-swarm:index:FirewallRule)",
  "lab > lab-swarm-gossip-tcp (pulumi-swarm:index:FirewallRule)",
  "lab > lab-swarm-gossip-udp (pulumi-swarm:index:FirewallRule)",
  "lab > lab-underlay (pulumi-swarm:index:Encryption)",
  "lab-docker-pool > lab-docker-pool (pulumi:index:Stash)",
  "lab-network-db > lab-network-db (pulumi:index:Stash)",
  "lab-network-web > lab-network-web (pulumi:index:Stash)",
  "lab-site-control > lab-site-control (pulumi:index:Stash)",
];

const expected = [
  " > lab (pulumi-swarm:index:SwarmCluster)",
  "lab > lab-control-1 (pulumi-swarm:index:Host)",
  "lab > lab-control-2 (pulumi-swarm:index:Host)",
  "lab > lab-control-3 (pulumi-swarm:index:Host)",
  "lab > lab-db (pulumi-swarm:index:OverlayNetwork)",
  "lab > lab-local-keys (pulumi:index:Stash)",
  "lab > lab-local-site (docker:index/network:Network)",
  "lab > lab-managers (pulumi:index:Stash)",
  "lab > lab-members (pulumi:index:Stash)",
  "lab > lab-memory-key (pulumi:index:Stash)",
  "lab > lab-nodes (command:local:Command)",
  "lab > lab-swarm (command:local:Command)",
  "lab > lab-swarm-intent (command:local:Command)",
  "lab > lab-underlay (pulumi:index:Stash)",
  "lab > lab-web (pulumi-swarm:index:OverlayNetwork)",
  "lab-control-1 > lab-control-1 (docker:index/container:Container)",
  "lab-control-2 > lab-control-2 (docker:index/container:Container)",
  "lab-control-3 > lab-control-3 (docker:index/container:Container)",
  "lab-db > lab-db (command:local:Command)",
  "lab-web > lab-web (command:local:Command)",
];

describe("the graph of three local managers and two networks", function () {
  this.timeout(30_000);
  let graph: Graph;
  before(async () => {
    graph = await graphOf({ ...three, firewall: {} });
  });

  it("has exactly these resources, under these parents", () => assert.deepEqual(names(graph.resources).sort(), [...expected, ...shownPlan].sort()));

  it("is the one in golden/three-local-managers.json (UPDATE_GOLDEN=1 writes it anew)", () => {
    const file = join(__dirname, "golden", "three-local-managers.json");
    // A secret's value is another one in each run, and is nobody's to read.
    const text = `${JSON.stringify(graph.resources, (_, value: unknown) => (isSecret(value) ? "<secret>" : value), 2)}\n`;
    if (process.env["UPDATE_GOLDEN"]) {
      mkdirSync(join(__dirname, "golden"), { recursive: true });
      writeFileSync(file, text);
    }
    assert.deepEqual(JSON.parse(text), JSON.parse(readFileSync(file, "utf8")));
  });

  it("shows the plan in the components' inputs", () => {
    assert.deepEqual(find(graph, "pulumi-swarm:index:SwarmCluster", "lab").inputs, {
      addressSpace: "10.96.0.0/14",
      overlay: "native",
      underlay: "direct",
      mtu: 1450,
      enforced: "hosts",
      engineSettings: {},
      quorum: "3 managers: tolerates 1 failure; with 2 managers down the swarm is read-only and running services continue",
    });
    const { subnet, internal } = find(graph, "pulumi-swarm:index:OverlayNetwork", "lab-db").inputs;
    assert.deepEqual({ subnet, internal }, { subnet: "10.99.209.0/24", internal: true });
  });

  it("shows there for what hosts are taken out of service, and of settings only that they change: they may be secrets", async () => {
    const settings = { proxies: { "http-proxy": "http://user:hunter2@proxy:3128" }, "registry-mirrors": ["https://mirror.example.com"] };
    const again = await graphOf({ ...three, engine: { settings, logLimits: {}, metrics: true }, maintenance: { workersAway: 0.5 } });
    const { engine, engineSettings, maintenance } = find(again, "pulumi-swarm:index:SwarmCluster", "lab").inputs;
    assert.deepEqual([engine, maintenance], [undefined, { workersAway: 0.5 }]);
    assert.match(JSON.stringify(engineSettings).replace(/:"[0-9a-f]{4}"/g, ""), /^\{"log-driver","log-opts","metrics-addr","proxies"\}$/);
    for (const { inputs, name } of again.resources) for (const text of readable(inputs)) assert.doesNotMatch(text, /hunter2/, name);
    const { engineSettings: none } = find(graph, "pulumi-swarm:index:SwarmCluster", "lab").inputs;
    assert.deepEqual(none, {}, "a state without them is one that an older version wrote");
  });

  it("gives the programs their request as a secret", () => {
    for (const name of ["lab-swarm", "lab-swarm-intent", "lab-nodes", "lab-web", "lab-db"])
      assert.ok(isSecret(find(graph, command, name).inputs["stdin"]), name);
  });

  it("asks of the swarm what the plan says, over keys that fit the machines'", () => {
    const { stdin } = find(graph, command, "lab-swarm").inputs;
    assert.ok(isSecret(stdin));
    const request = JSON.parse(stdin.secret as string) as SwarmRequest;
    assert.deepEqual(
      request.hosts.map(({ key, role, machine }) => ({ key, role, machine })),
      [1, 2, 3].map((number) => ({ key: `control-${number}`, role: "manager", machine: `lab-control-${number}-id` })),
    );
    assert.equal(new Set(request.hosts.map(({ connection }) => connection.hostKey)).size, 3, "each machine has a host key of its own");
    assert.equal(new Set(request.hosts.map(({ connection }) => connection.privateKey)).size, 1, "one key logs in to all");
    assert.deepEqual([request.cluster, request.dockerPool, request.reachableSeconds, request.drainSeconds], ["lab", "10.96.0.0/16", 75, 120]);
  });

  it("hands on what the program says of the swarm, and runs again for another recheck", async () => {
    const requestOf = async (recheck: string): Promise<SwarmRequest> => {
      const again = await graphOf({ ...three, swarm: { autolock: true, rotateCa: "1" }, membership: { recheck } });
      const { stdin } = find(again, command, "lab-swarm").inputs;
      assert.ok(isSecret(stdin));
      return JSON.parse(stdin.secret as string) as SwarmRequest;
    };
    const [first, second] = [await requestOf("1"), await requestOf("2")];
    assert.deepEqual(first.swarm, { autolock: true, rotateCa: "1" });
    assert.deepEqual([first.recheck, second.recheck], ["1", "2"]);
  });

  it("has no private key in anything that can be read", () => {
    for (const { name, inputs } of graph.resources) {
      for (const text of readable(inputs)) assert.doesNotMatch(text, /PRIVATE KEY/, name);
    }
    assert.match(JSON.stringify(graph.resources), /PRIVATE KEY/, "the keys are there, as secrets");
  });

  it("does not replace machines for what the provider reads back otherwise", () => {
    for (const number of [1, 2, 3]) assert.deepEqual(find(graph, container, `lab-control-${number}`).ignoreChanges, ["securityOpts", "image"]);
    assert.deepEqual(find(graph, "pulumi:index:Stash", "lab-local-keys").ignoreChanges, ["input"]);
  });

  it("makes the swarm after all machines, and each network after the swarm", () => {
    const swarm = waitsFor(graph, find(graph, command, "lab-swarm"));
    for (const number of [1, 2, 3]) assert.ok(swarm.includes(`lab-control-${number} (${container})`), swarm.join(", "));
    for (const name of ["lab-web", "lab-db"]) {
      const network = waitsFor(graph, find(graph, command, name));
      assert.ok(network.includes(`lab-swarm (${command})`), `${name} waits for ${network.join(", ")}`);
    }
  });

  it("names programs that exist by paths that hold in another checkout too", () => {
    const root = join(__dirname, "../..");
    for (const { type, name, inputs } of graph.resources) {
      if (type !== command) continue;
      assert.deepEqual(inputs["interpreter"], ["node"]);
      for (const path of ["create", "delete"].flatMap((verb) => (verb in inputs ? [inputs[verb]] : []))) {
        assert.ok(typeof path === "string" && !isAbsolute(path), `${name}: ${String(path)}`);
        assert.ok(path.startsWith("components/agents/") && path.endsWith(".js"), path);
        assert.ok(existsSync(join(root, path.replace(/\.js$/, ".ts"))), `${path} is compiled from a file that is there`);
      }
    }
    assert.ok(!JSON.stringify(graph.resources).includes(root), "no path of this machine is anywhere");
  });

  it("is shown in full by the first preview, when no provider has told anything yet", async () => {
    const preview = await graphOf({ ...three, firewall: {} }, { preview: true });
    assert.deepEqual(names(preview.resources), names(graph.resources));
    assert.equal(find(preview, command, "lab-swarm").inputs["stdin"], unknown);
    // All but what follows from secrets that do not exist yet: addresses, subnets, names, programs.
    for (const { type, name, inputs } of graph.resources) {
      if (type === command || type === container || type === "pulumi:index:Stash") continue;
      assert.deepEqual(find(preview, type, name).inputs, inputs, name);
    }
    for (const number of [1, 2, 3]) {
      const networks = (graphs: Graph): unknown => find(graphs, container, `lab-control-${number}`).inputs["networksAdvanced"];
      assert.deepEqual(networks(preview), networks(graph));
    }
  });
});

describe("the graph of a cluster", function () {
  this.timeout(30_000);

  it("has nothing but the hosts themselves and the swarm for machines that stand already", async () => {
    const { resources } = await graphOf({ hosts: { rack: racks(3) }, networks: { web: {} } });
    assert.deepEqual(names(resources.filter((resource) => !ofThePlan(resource))).sort(), [
      " > lab (pulumi-swarm:index:SwarmCluster)",
      "lab > lab-nodes (command:local:Command)",
      "lab > lab-rack-1 (pulumi-swarm:index:Host)",
      "lab > lab-rack-2 (pulumi-swarm:index:Host)",
      "lab > lab-rack-3 (pulumi-swarm:index:Host)",
      "lab > lab-swarm (command:local:Command)",
      "lab > lab-swarm-intent (command:local:Command)",
      "lab > lab-underlay (pulumi:index:Stash)",
      "lab > lab-web (pulumi-swarm:index:OverlayNetwork)",
      "lab-web > lab-web (command:local:Command)",
    ]);
    for (const { inputs, name } of resources) for (const text of readable(inputs)) assert.doesNotMatch(text, /PRIVATE KEY/, name);
  });

  it("keeps a private key secret that the user gave as a plain text", async () => {
    const graph = await graphOf({
      hosts: { rack: racks(1, { privateKey: clientKey, passphrase: "PRIVATE KEY's" }) },
      networks: { web: {} },
    });
    for (const { inputs, name } of graph.resources) for (const text of readable(inputs)) assert.doesNotMatch(text, /PRIVATE KEY/, name);
    assert.ok(isSecret(find(graph, command, "lab-swarm").inputs["stdin"]));
  });

  it("has at most six resources for each host, and as many more for each host as for the one before", async () => {
    const count = async (workers: number): Promise<number> =>
      (await graphOf({ hosts: { ...three.hosts, edge: local.hosts({ role: "worker", count: workers }) } })).resources.length;
    const [one, two, ten] = [await count(1), await count(2), await count(10)];
    assert.ok(two - one <= 6, `${two - one} resources for one host`);
    assert.equal(ten - two, 8 * (two - one));
  });

  it("shares one site's network and one set of keys between groups, and makes one more network for one more site", async () => {
    const underlay: Underlay = { kind: "tunnel", plan: (context) => ({ ...direct().plan(context), kind: "tunnel", encrypted: true, overhead: 80 }) };
    const edge = local.hosts({ role: "worker" });
    const far = local.hosts({ role: "worker", network: "10.214.0.0/16" });
    const { resources } = await graphOf({ hosts: { ...three.hosts, edge, far }, underlay });
    assert.deepEqual(
      resources.filter(({ type, parent }) => parent === "lab" && !type.startsWith("pulumi-swarm:")).map(({ name }) => name),
      [
        "lab-local-keys",
        "lab-local-site",
        "lab-local-site-10-214-0-0-16",
        "lab-managers",
        "lab-members",
        "lab-memory-key",
        "lab-nodes",
        "lab-swarm",
        "lab-swarm-intent",
        "lab-underlay",
      ],
    );
  });

  it("leaves the last word to transforms, as fields or as functions", async () => {
    const memory = (args: docker.ContainerArgs): docker.ContainerArgs => ({ ...args, memory: 512 });
    const graph = await graphOf({
      hosts: { control: local.hosts({ role: "manager", transform: { container: memory, network: { internal: true } } }) },
      networks: { web: {} },
      transform: { swarm: { environment: { DEBUG: "1" } }, network: (args) => ({ ...args, logging: "none" }) },
    });
    assert.equal(find(graph, container, "lab-control-1").inputs["memory"], 512);
    assert.equal(find(graph, "docker:index/network:Network", "lab-local-site").inputs["internal"], true);
    const swarm = find(graph, command, "lab-swarm");
    assert.deepEqual(swarm.inputs["environment"], { DEBUG: "1" });
    assert.ok(isSecret(swarm.inputs["stdin"]), "a transform leaves the rest as it is");
    assert.equal(find(graph, command, "lab-web").inputs["logging"], "none");
  });

  it("makes gateways after the networks that they are on, shows the plan of each, and keeps the ways to managers secret", async () => {
    const oracle = { to: "192.168.7.20", port: 1521, on: "group rack", networks: ["web"] } as const;
    const args = { hosts: { rack: racks(3) }, networks: { web: {}, db: { internal: true } }, gateways: { oracle } };
    const graph = await graphOf({ ...args, transform: { gateway: { environment: { DEBUG: "1" } } } });
    const gateway = "pulumi-swarm:index:Gateway";
    const { inputs } = find(graph, gateway, "lab-oracle");
    assert.deepEqual(inputs, {
      name: "oracle",
      to: "192.168.7.20",
      port: 1521,
      targetPort: 1521,
      on: "group rack",
      replicas: 2,
      networks: ["web"],
      image: "docker.io/library/haproxy:3.0.11",
      encryptedBy: "nothing",
    });
    const made = graph.resources.filter(({ parent }) => parent === "lab-oracle");
    assert.deepEqual(names(made), ["lab-oracle > lab-oracle (command:local:Command)"]);
    const [only] = made;
    assert.ok(only && isSecret(only.inputs["stdin"]) && only.inputs["delete"] !== undefined);
    assert.deepEqual(only.inputs["environment"], { DEBUG: "1" });
    const request = JSON.parse(only.inputs["stdin"].secret as string) as GatewayRequest;
    assert.deepEqual(request.spec.networks, [{ name: "web", id: "network1" }]);
    assert.match(request.spec.config, /server target 192\.168\.7\.20:1521/);
    for (const needed of ["lab-swarm", "lab-web", "lab-db"])
      assert.ok(waitsFor(graph, only).includes(`${needed} (${command})`), waitsFor(graph, only).join());
    for (const number of [1, 2, 3]) {
      assert.deepEqual(find(graph, "pulumi-swarm:index:Host", `lab-rack-${number}`).inputs["labels"], { "pulumi-swarm.gateway.oracle": "true" });
    }
    const preview = await graphOf(args, { preview: true });
    const asked = preview.resources.find(({ parent }) => parent === "lab-oracle")?.inputs["stdin"];
    assert.ok(JSON.stringify(asked).includes(unknown), "before there are networks, nobody knows their ids");
  });

  it("leaves alone what one host more does not concern", async () => {
    const without = await graphOf(three);
    const more = await graphOf({ ...three, hosts: { ...three.hosts, edge: local.hosts({ role: "worker" }) } });
    const shown = ({ inputs }: Registered): unknown =>
      JSON.parse(JSON.stringify(inputs, (_, value: unknown) => (isSecret(value) ? "<secret>" : value)));
    for (const resource of without.resources) assert.deepEqual(shown(find(more, resource.type, resource.name)), shown(resource), resource.name);
  });

  it("shows each policy between networks, under the name that the program gives it", async () => {
    const policy = { "web may reach db": { from: ["web", "group control"], to: ["db"], port: [5432, "9000-9010"] as const } };
    const graph = await graphOf({ ...three, networks: { web: {}, db: {} }, overlay: calico(), firewall: {}, policy }, { preview: true });
    const { inputs, parent } = find(graph, "pulumi-swarm:index:NetworkPolicy", "lab-web-may-reach-db");
    assert.equal(parent, "lab");
    assert.deepEqual(inputs, {
      policy: "web may reach db",
      from: ["web", "group control"],
      to: ["db"],
      protocol: "tcp",
      ports: ["5432", "9000-9010"],
    });
  });

  it("shows each router outside the cluster, and hands its password to the hosts' program alone, as a secret", async () => {
    const tor = { address: "10.5.0.1", as: 65010, password: pulumi.secret("tor-and-us"), announce: ["web"], accept: "default" } as const;
    const args = { ...three, networks: { web: {}, db: {} }, overlay: calico({ peers: { tor } }), firewall: {} };
    const graph = await graphOf(args);
    const { inputs, parent } = find(graph, "pulumi-swarm:index:BgpPeer", "lab-tor");
    assert.equal(parent, "lab");
    assert.deepEqual(inputs, {
      ...{ router: "tor", address: "10.5.0.1", as: 65010, clusterAs: 64512, on: "members", signedBy: "TCP MD5", bfd: false },
      announces: { web: "0.0.0.128/26 of each host's own /24 in 10.97.0.0/17" },
      accepts: ["0.0.0.0/0"],
    });
    assert.deepEqual(find(graph, "pulumi-swarm:index:FirewallRule", "lab-bgp-tor").inputs["from"], ["10.5.0.1/32"]);
    const holders = graph.resources.filter((each) => JSON.stringify(each.inputs).includes("tor-and-us"));
    assert.deepEqual(
      holders.map(({ name }) => name),
      ["lab-swarm"],
    );
    const asked = find(graph, command, "lab-swarm").inputs["stdin"];
    assert.ok(isSecret(asked));
    assert.deepEqual((JSON.parse(asked.secret as string) as SwarmRequest).overlay.onHosts?.passwords, { tor: "tor-and-us" });
  });

  it("shows each VLAN whose machines take part in a network, and remembers the place of their addresses", async () => {
    const rack = { interface: "eth1", vlan: 120, network: "web", on: "control-2" };
    const args = { ...three, networks: { web: {} }, overlay: openvswitch({ trunks: { rack } }), firewall: {} };
    const graph = await graphOf(args);
    const { inputs, parent } = find(graph, "pulumi-swarm:index:VlanTrunk", "lab-rack");
    assert.equal(parent, "lab");
    assert.deepEqual(inputs, {
      ...{ trunk: "rack", network: "web", vlan: 120, interface: "eth1", on: "control-2", mtu: 1446 },
      ...{ subnet: "10.98.192.0/19", addresses: "10.98.207.0/26" },
    });
    assert.equal(find(graph, "pulumi:index:Stash", "lab-trunks").inputs["input"], "10.97.60.0/24");
  });

  it("prefixes all names, so that two clusters can be in one stack", async () => {
    const { resources, error } = await record(() => [new SwarmCluster("one", three), new SwarmCluster("two", three)]);
    assert.equal(error, undefined);
    assert.equal(resources.length, 2 * (await graphOf({ ...three, firewall: {} })).resources.length);
    assert.equal(new Set(resources.map(({ type, name }) => `${type} ${name}`)).size, resources.length);
  });

  it("is not begun when something is wrong: one RunError tells all of it", async () => {
    const { resources, error } = await record(
      () =>
        new SwarmCluster("lab", {
          addressSpace: "8.0.0.0/8",
          hosts: { control: local.hosts({ role: "manager", count: 2 }) },
          networks: { ingress: {} },
        }),
    );
    assert.deepEqual(resources, []);
    assert.ok(pulumi.RunError.isInstance(error), String(error));
    assert.equal(
      error.message,
      [
        'The swarm cluster "lab" cannot be planned: 3 problems.',
        "  - addressSpace: 8.0.0.0/8 are public addresses: containers could not reach their real owners. Fix: take private space, such as 10.96.0.0/14.",
        '  - networks.ingress: "ingress" is a network of Docker\'s own. Fix: choose another name.',
        "  - hosts: 2 managers tolerate no failure, like 1 manager, and are more likely to lose quorum. Fix: take 1 or 3.",
      ].join("\n"),
    );
  });

  it("tells how to reach the swarm, and its connections only as a secret", async () => {
    let cluster: SwarmCluster | undefined;
    await record(() => (cluster = new SwarmCluster("lab", three)));
    assert.ok(cluster);
    assert.equal(await valueOf(cluster.dockerHost), `ssh://root@${cluster.plan.hosts[0]?.address}`);
    assert.equal(await pulumi.isSecret(cluster.dockerHost), false);
    assert.equal(await valueOf(cluster.swarmId), "swarm1");
    assert.deepEqual(await valueOf(cluster.networks), {
      web: { id: "network1", subnet: "10.99.246.0/24", internal: false },
      db: { id: "network1", subnet: "10.99.209.0/24", internal: true },
    });
    assert.equal(await pulumi.isSecret(cluster.connections), true);
    assert.deepEqual(Object.keys(await valueOf(cluster.connections)), ["control-1", "control-2", "control-3"]);
  });

  it("has as many resources for each of a thousand hosts as for each of a few", async () => {
    const groups = (sizes: readonly number[]): SwarmClusterArgs => ({
      hosts: { ...three.hosts, ...Object.fromEntries(sizes.map((count, index) => [`edge${index}`, local.hosts({ role: "worker", count })])) },
    });
    const few = await graphOf(groups([4, 3]));
    // The SDK takes a stack for each promise, and ts-node maps each of them to its source: most of the time otherwise.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    const start = Date.now();
    const many = await graphOf(groups([250, 250, 250, 240, 7])).finally(() => (Error.stackTraceLimit = stackTraceLimit));
    process.stdout.write(`      (1000 hosts, ${many.resources.length} resources: ${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
    // A group more is a rule for its administrators, and its block of the site with the memory of it.
    const [hosts, moreGroups] = [1000 - 10, 5 - 2];
    assert.equal(many.resources.length - few.resources.length, 2 * hosts + 3 * moreGroups);
  }).timeout(120_000);
});
