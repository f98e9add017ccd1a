import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { flannel, HostFirewall, SwarmCluster, type SwarmClusterArgs, weave, WireGuardMesh, wireguard } from "../../components";
import { clusterNames } from "../../components/cluster/names";
import { planCluster } from "../../components/cluster/plan";
import * as aws from "../../components/hosts/aws";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import { serveOneByOne } from "../../components/names/claimed";
import type { PlannedName } from "../../components/names/name";
import * as local from "../../components/hosts/local";
import { pieceNames } from "../../components/pieces/names";
import { planHostFirewall, planWireGuardMesh } from "../../components/pieces/plan";
import { type Answers, type Graph, record, type Registered } from "./harness";
import { clientKey } from "../unit/client-key";

// Internal: a client of the engine tells where the engine listens, and the SDK's mocks do not.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { MockMonitor } = require("@pulumi/pulumi/runtime/mocks") as { MockMonitor: { prototype: { getChannel?: unknown } } };

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const region = "eu-west-1";
const firewall = {
  ssh: ["203.0.113.0/24", "2001:db8::/32"],
  expose: { https: { port: [443, "8000-8010"], from: ["world"], on: "workers" } },
  allow: { metrics: { port: 9100, from: ["managers", "10.9.0.0/16"] } },
} as const;
const rack = existing.hosts({
  role: "worker",
  privateKey: clientKey,
  machines: { a: { address: "198.51.100.7", hostKey } },
});
const worker = local.hosts({ role: "worker", count: 2 });

/** What clouds would say. Ids are numbers, as Hetzner's are. */
const answers: Answers = {
  id: ({ name }) => String(name.length),
  call: ({ token }) =>
    token === "aws:index/getAvailabilityZones:getAvailabilityZones" ? { names: ["a", "b", "c"].map((zone) => `${region}${zone}`) } : { id: 7 },
  outputs: () => ({ networks: [{ ip: "10.72.9.9" }], publicIp: "198.51.101.1", ipAddress: "198.51.101.2", privateIp: "10.64.9.9" }),
};

/** Clusters that between them have everything that has a name. */
const clusters: Readonly<Record<string, SwarmClusterArgs>> = {
  "local hosts and networks": {
    hosts: { control: local.hosts({ role: "manager", count: 3 }), edge: worker, "edge-a": local.hosts({ role: "worker" }) },
    networks: { web: {}, "db.internal": { internal: true } },
    gateways: { oracle: { to: "192.168.7.20", port: 1521, on: "host edge-a-1", networks: ["web"] } },
    underlay: wireguard(),
  },
  "flannel, with etcd on groups": {
    hosts: { control: local.hosts({ role: "manager" }), edge: worker },
    overlay: flannel({ etcd: { on: ["edge", "control"] } }),
    networks: { web: {} },
  },
  weave: { hosts: { control: local.hosts({ role: "manager" }), edge: worker }, overlay: weave(), networks: { web: {} } },
  AWS: {
    firewall,
    hosts: {
      control: aws.hosts({ role: "manager", count: 3, region, each: { 2: { renew: "a" } } }),
      edge: aws.hosts({ role: "worker", count: 2, region, zones: ["b"] }),
    },
  },
  "AWS in a network of the user's": {
    firewall: { ...firewall, allow: {} },
    hosts: {
      control: aws.hosts({
        role: "manager",
        region,
        publicAddress: "none",
        vpc: { id: "vpc-1", cidr: "10.64.0.0/16", subnets: { a: { id: "subnet-1", cidr: "10.64.0.0/20" } } },
      }),
    },
  },
  Hetzner: {
    firewall,
    hosts: {
      control: hetzner.hosts({ role: "manager", count: 3, locations: ["fsn1", "nbg1"], each: { 1: { renew: "a" } } }),
      edge: hetzner.hosts({ role: "worker", count: 12 }),
    },
  },
  "Hetzner in a network of the user's": {
    firewall: { ...firewall, allow: {} },
    hosts: { control: hetzner.hosts({ role: "manager", privateNetwork: { id: "1", cidr: pulumi.output("10.70.0.0/16") } }) },
  },
  "hosts of all kinds": {
    firewall,
    underlay: wireguard(),
    hosts: {
      control: hetzner.hosts({ role: "manager" }),
      edge: aws.hosts({ role: "worker", count: 2, region, site: "My site" }),
      other: aws.hosts({ role: "worker", region: "us-east-1", network: "10.65.0.0/16", labels: { a: "b" } }),
      rack,
    },
    networks: { web: {} },
  },
};

const [encryption, rule] = ["pulumi-swarm:index:Encryption", "pulumi-swarm:index:FirewallRule"];

/** Its types as a URN has them, below its component, and its name. */
function chained({ resources }: Graph, component: string): string[] {
  const typeOf = ({ type, parent }: Registered): string => {
    const above = resources.find(
      (each) => !each.custom && each.name === parent && each.name !== component && each.type !== encryption && each.type !== rule,
    );
    return above ? `${typeOf(above)}$${type}` : type;
  };
  return resources.filter(({ name, parent }) => !(name === component && parent === "")).map((one) => `${typeOf(one)} ${one.name}`);
}

/** Groups of one site tell of what they share, each of them. */
function planned(names: readonly PlannedName[]): string[] {
  return [...new Set(names.filter(({ anywhere }) => anywhere !== true).map(({ type, name }) => `${type} ${name}`))].sort();
}

function assertHooks({ resources }: Graph, names: readonly PlannedName[]): void {
  const hooks = resources.flatMap((each) => Object.values(each.hooks ?? {}).flat());
  const known = names.filter(({ type }) => type === "resource hook").map(({ name }) => `${name} `);
  for (const hook of hooks)
    assert.ok(
      known.some((name) => hook.startsWith(name)),
      `nothing has told of the hook "${hook}"`,
    );
}

describe("the names that are known of a plan", function () {
  this.timeout(60_000);

  for (const [what, args] of Object.entries(clusters)) {
    it(`are those of all resources that are made, and no others: ${what}`, async () => {
      const graph = await record(() => new SwarmCluster("lab", args), { ...answers, hooks: true });
      assert.equal(graph.error, undefined, String(graph.error));
      const names = clusterNames("lab", planCluster(args).plan, Object.entries(args.hosts), args.firewall);
      assert.deepEqual(planned(names), chained(graph, "lab").sort());
      assertHooks(graph, names);
    });
  }

  it("are those of the pieces' resources too", async () => {
    const hosts = { control: hetzner.hosts({ role: "manager" }), rack };
    const closed = await record(() => new HostFirewall("lab", { hosts, firewall }), { ...answers, hooks: true });
    assert.equal(closed.error, undefined, String(closed.error));
    const { plan } = planHostFirewall({ hosts, firewall });
    assert.deepEqual(planned(pieceNames("lab", plan, Object.entries(hosts), firewall)), chained(closed, "lab").sort());

    const mesh = await record(() => new WireGuardMesh("lab", { hosts: { rack } }), answers);
    const meshed = planWireGuardMesh({ hosts: { rack } });
    assert.deepEqual(planned(pieceNames("lab", meshed.plan, [["rack", rack]], undefined)), chained(mesh, "lab").sort());
  });
});

/** Runs a program that makes two components. */
async function both(program: () => unknown, hooks = true): Promise<{ readonly message: string; readonly made: readonly string[] }> {
  const { error, resources } = await record(program, { ...answers, hooks });
  return { message: error === undefined ? "" : (error as Error).message, made: resources.map(({ name }) => name) };
}

class Wrapper extends pulumi.ComponentResource {
  constructor(name: string, cluster: string, args: SwarmClusterArgs) {
    super("test:index:Wrapper", name);
    new SwarmCluster(cluster, args, { parent: this });
  }
}

describe("two components of one program", function () {
  this.timeout(30_000);
  const manager = local.hosts({ role: "manager" });
  const one: SwarmClusterArgs = { hosts: { control: manager, "b-c": worker } };
  const other: SwarmClusterArgs = {
    hosts: { control: local.hosts({ role: "manager", network: "10.215.0.0/16" }), c: local.hosts({ role: "worker", network: "10.215.0.0/16" }) },
  };

  it("are refused before anything of the second one is made, where they come to the same names", async () => {
    const { message, made } = await both(() => [new SwarmCluster("a", one), new SwarmCluster("a-b", other)]);
    assert.equal(
      message,
      'The swarm cluster "a-b" cannot be planned: 1 problem.\n' +
        '  - hosts.c: group c of the swarm cluster "a-b" and group b-c of the swarm cluster "a" would both have a resource named "a-b-c-1", ' +
        "and there can be only one of that name in a stack. Fix: rename one of them, but not one that is deployed already.",
    );
    assert.ok(made.includes("a-b-c-1") && !made.includes("a-b-control-1"), made.join(", "));
  });

  it("are refused for two networks, and for two clusters of one name", async () => {
    const networks = await both(() => [
      new SwarmCluster("a", { hosts: { control: manager }, networks: { "b-web": {} } }),
      new SwarmCluster("a-b", { hosts: { main: manager }, networks: { web: {} } }),
    ]);
    assert.match(
      networks.message,
      /\n {2}- networks\.web: network web of the swarm cluster "a-b" and network b-web of the swarm cluster "a" would both/,
    );
    const twins = await both(() => [new SwarmCluster("a", one), new SwarmCluster("a", other)]);
    assert.match(twins.message, /\n {2}- name: the program makes a swarm cluster "a" twice/);
  });

  it("are let be where types of their parents, or their own, tell their resources apart", async () => {
    const fleet = existing.hosts({ role: "manager", privateKey: clientKey, machines: { "1": { address: "192.0.2.1", hostKey } } });
    const args = { hosts: { control: fleet }, firewall };
    const apart = await both(() => [new SwarmCluster("a", args), new HostFirewall("a", args), new WireGuardMesh("a", args)]);
    assert.equal(apart.message, "");
    assert.equal((await both(() => [new SwarmCluster("a", one), new SwarmCluster("c", other)])).message, "");
  });

  it("are refused where a hook or a cloud takes a name once, whatever the resources are a part of", async () => {
    const args = { hosts: { control: hetzner.hosts({ role: "manager" }) }, firewall };
    const pieces = await both(() => [new SwarmCluster("a", args), new HostFirewall("a", args)]);
    assert.match(
      pieces.message,
      /^The host firewall "a" cannot be planned: 1 problem\.\n {2}- hosts\.control: group control of the host firewall "a" and group control of the swarm/,
    );
    const wrapped = await both(() => [new Wrapper("w", "a", one), new SwarmCluster("a", other)]);
    assert.match(wrapped.message, /the program makes a swarm cluster "a" twice/);
    const inside = await both(() => [new Wrapper("w", "a", one), new Wrapper("v", "a-b", other)]);
    assert.match(inside.message, /would both have a resource named "a-b-c-1"/);
  });

  it("may be made again and again in a user's tests, where the SDK's mocks stand for the engine", async () => {
    assert.equal((await both(() => [new SwarmCluster("a", one), new SwarmCluster("a", one)], false)).message, "");
  });

  it("are refused in the plugin for other languages too, where each of them has a client of the engine of its own", async () => {
    serveOneByOne();
    const at = async (address: string, args: SwarmClusterArgs): Promise<string> => {
      Object.assign(MockMonitor.prototype, { getChannel: () => ({ getTarget: () => address }) });
      return (await both(() => new SwarmCluster("a", args))).message;
    };
    try {
      assert.equal(await at("dns:127.0.0.1:1", one), "");
      assert.match(await at("dns:127.0.0.1:1", other), /the program makes a swarm cluster "a" twice/);
      assert.equal(await at("dns:127.0.0.1:2", other), "");
    } finally {
      delete MockMonitor.prototype.getChannel;
    }
  });

  it("have their names back in the next run of the same process", async () => {
    for (let run = 0; run < 2; run += 1) assert.equal((await both(() => new SwarmCluster("a", one))).message, "");
  });
});
