import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import { type ClusterPlan } from "../../components/cluster/planned";
import { planRenumbering, withPins } from "../../components/cluster/renumbering";
import * as existing from "../../components/hosts/existing";
import * as local from "../../components/hosts/local";
import { Cidr } from "../../components/addresses/cidr";
import { describeRenumbering } from "../../components/addresses/subnets";
import { flannel } from "../../components/overlays/flannel";
import { native } from "../../components/overlays/native";
import { openvswitch } from "../../components/overlays/openvswitch";
import type { Overlay, OverlayPlan, Placement } from "../../components/overlays/overlay";

const placement: Extract<Placement, { readonly kind: "slices" }> = {
  kind: "slices",
  hostPrefix: 24,
  hostsPerGroup: 16,
  slicePrefix: 26,
  own: { bridge: 27 },
};

const named = (count: number): ReturnType<typeof existing.hosts> =>
  existing.hosts({
    role: "worker",
    site: "rack",
    agentSocket: "/run/agent",
    machines: Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, { address: `192.168.1.${index + 1}`, hostKey }])),
  });

/** An overlay that routes, and nothing else. */
function routed(more: Partial<OverlayPlan> = {}): Overlay {
  return {
    kind: "flannel",
    plan: (context) => ({ ...native().plan(context), kind: "flannel", driver: "macvlan", placement, settings: {}, routedIn: {}, ...more }),
  };
}

const control = local.hosts({ role: "manager", count: 3 });
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";

function planned(args: Partial<SwarmClusterArgs> = {}): ClusterPlan {
  const { plan, problems } = planCluster({ hosts: { control }, overlay: routed(), networks: { web: {}, db: {} }, ...args });
  assert.deepEqual(problems, []);
  return plan;
}

function said(args: Partial<SwarmClusterArgs>): string[] {
  return planCluster({ hosts: { control }, overlay: routed(), ...args }).problems.map(
    ({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}.`,
  );
}

function subnetOf({ subnets }: ClusterPlan, owner: string): string | undefined {
  return subnets.find((subnet) => subnet.owner === owner)?.cidr;
}

describe("an overlay that routes", () => {
  it("gives each host a subnet by its number in its group's block, in the part of the address space for it", () => {
    const plan = planned({ hosts: { control, edge: local.hosts({ role: "worker", numbers: [2, 16] }) } });
    const block = Cidr.parse(subnetOf(plan, "containers edge") ?? "") as Cidr;
    assert.equal(block.prefix, 20);
    assert.ok((Cidr.parse("10.97.0.0/17") as Cidr).contains(block));
    const edge = plan.hosts.filter(({ group }) => group === "edge").map(({ containerSubnet }) => containerSubnet);
    assert.deepEqual(edge, [`${block.address(256)}/24`, `${block.address(15 * 256)}/24`]);
  });

  it("gives each network a slice of it, and the overlay's own from the end on", () => {
    const plan = planned();
    assert.deepEqual(new Set(plan.onHosts?.slices.map(({ name }) => name)), new Set(["web", "db", "bridge"]));
    assert.equal(plan.onHosts?.slices.find(({ name }) => name === "bridge")?.slice, "0.0.0.224/27");
    const web = plan.networks.find(({ name }) => name === "web");
    assert.equal(web?.configFrom, "pulumi-swarm-web");
    assert.equal(web?.subnet, "10.97.0.0/17");
    assert.equal(subnetOf(plan, "slice web"), web?.slice);
    assert.deepEqual(plan.onHosts?.routedIn, { network: "10.97.0.0/17" });
  });

  it("has subnets for hosts of any name, each of its own", () => {
    const machines = { alpha: { address: "192.168.1.1", hostKey }, beta: { address: "192.168.1.2", hostKey } };
    const rack = existing.hosts({ role: "worker", site: "rack", agentSocket: "/run/agent", machines });
    const { plan } = planCluster({ hosts: { control, rack }, overlay: routed() });
    const subnets = plan.hosts.map(({ containerSubnet }) => containerSubnet);
    assert.equal(new Set(subnets).size, 5);
    assert.ok(!subnets.includes(undefined));
  });

  const refusals: readonly (readonly [string, Partial<SwarmClusterArgs>, RegExp])[] = [
    ["a network without a way out", { networks: { db: { internal: true } } }, /^networks\.db\.internal: .* cannot be routed to other hosts/],
    ["a network with labels", { networks: { db: { labels: { team: "shop" } } } }, /^networks\.db\.labels: Docker takes no labels/],
    [
      "a slice larger than the host's subnet",
      { networks: { db: { prefix: 20 } } },
      /^networks\.db\.prefix: 20 is not usable: a network has a slice of each host's \/24/,
    ],
    ["a slice in which nothing has room", { networks: { db: { prefix: 31 } } }, /^networks\.db\.prefix: .*from 24 to 29/],
    [
      "a pin that is no slice",
      { networks: { db: { subnet: "10.98.1.0/24" } } },
      /^networks\.db\.subnet: "10\.98\.1\.0\/24" is no slice .* such as 0\.0\.0\.64\/26/,
    ],
    [
      "two pins on each other",
      { networks: { db: { subnet: "0.0.0.0/25" }, web: { subnet: "0.0.0.64/26" } } },
      /^networks\.web\.subnet: 0\.0\.0\.64\/26 overlaps 0\.0\.0\.0\/25 of db\./,
    ],
    [
      "more networks than there are slices",
      { networks: { web: { prefix: 25 }, db: { prefix: 25 } } },
      /^networks: each host's subnet, a \/24, has no slice left for web: it holds 1 of a \/25 beside the host's own network, and there are 2 networks\. Fix: give web prefix: 26, or/,
    ],
    [
      "a network that is called as each host's own one",
      { overlay: flannel(), networks: { flannel: {} } },
      /^networks\.flannel: each host has a network "flannel" of its own, which the overlay makes\. Fix: choose another name, or set the overlay's bridge/,
    ],
    [
      "a network that is called as what holds another one's addresses",
      { networks: { web: {}, "pulumi-swarm-web": {} } },
      /^networks\.pulumi-swarm-web: each host has a network "pulumi-swarm-web", which holds the addresses of web\. Fix: choose another name\./,
    ],
    [
      "the same on Open vSwitch",
      { overlay: openvswitch(), networks: { web: {}, "pulumi-swarm-web": {} } },
      /^networks\.pulumi-swarm-web: each host has a network "pulumi-swarm-web", which holds the addresses of web\./,
    ],
    [
      "more hosts with names than a block holds",
      { hosts: { control, rack: named(17) } },
      /^hosts\.rack: its block \S+\/20 of subnets for containers holds 16 hosts; 1 of its hosts do not fit\. Fix: make a group of their own for those that are new/,
    ],
    [
      "more hosts than there are blocks for",
      { hosts: { control: local.hosts({ role: "manager", numbers: [1, 2, 120] }), edge: local.hosts({ role: "worker", count: 97 }) } },
      /^hosts\.edge: its hosts from number 97 on need a further block of subnets for containers, a \/20, .*10\.97\.0\.0\/17, has none left\. Fix: keep the numbers of the group to 96/,
    ],
    [
      "a pinned block that is not routed",
      { pins: { "containers control": "10.98.0.0/20" } },
      /^pins\["containers control"\]: 10\.98\.0\.0\/20 of containers control is not in 10\.97\.0\.0\/17/,
    ],
  ];
  for (const [what, args, expected] of refusals) {
    it(`refuses ${what}`, () => {
      const problems = said(args);
      assert.ok(
        problems.some((problem) => expected.test(problem)),
        problems.join("\n"),
      );
    });
  }

  it("keeps a slice that another network would push aside, by the pin that it names", () => {
    // Found by trying: both names fall on one place.
    const names = Array.from({ length: 60 }, (_, index) => `net${index}`);
    const alone = new Map(names.map((name) => [name, planned({ networks: { [name]: {} } }).networks[0]?.slice]));
    const one = names.find((name) => names.some((other) => other < name && alone.get(other) === alone.get(name))) ?? "";
    const other = names.find((name) => name < one && alone.get(name) === alone.get(one)) ?? "";
    const args: SwarmClusterArgs = { hosts: { control }, overlay: routed(), networks: { [one]: {}, [other]: {} } };
    const moves = planRenumbering(args, { [`slice ${one}`]: alone.get(one) });
    assert.deepEqual(
      moves.map(({ owner, pin }) => [owner, pin]),
      [[`slice ${one}`, `networks.${one}.subnet`]],
    );
    const { plan, problems } = planCluster(withPins(args, moves));
    assert.deepEqual(problems, []);
    assert.equal(plan.networks.find(({ name }) => name === one)?.slice, alone.get(one));
  });

  const edge = (count: number): Partial<SwarmClusterArgs> => ({
    hosts: { control, edge: local.hosts({ role: "worker", count }), far: local.hosts({ role: "worker", count: 2 }) },
  });
  const places = ({ hosts }: ClusterPlan): Record<string, string | undefined> =>
    Object.fromEntries(hosts.map(({ key, containerSubnet }) => [key, containerSubnet]));
  const blocksOf = ({ subnets }: ClusterPlan): Record<string, string> => Object.fromEntries(subnets.map(({ owner, cidr }) => [owner, cidr]));
  /** That all of the first are in the second as they are. */
  const nothingMoved = (before: ClusterPlan, after: ClusterPlan): void => {
    for (const [host, subnet] of Object.entries(places(before))) assert.equal(places(after)[host], subnet, host);
  };

  it("gives a group that outgrows its block a further one, and nothing in use moves", () => {
    let before = planned(edge(16));
    for (const count of [17, 33, 40]) {
      const args: SwarmClusterArgs = { overlay: routed(), networks: { web: {}, db: {} }, ...edge(count) } as SwarmClusterArgs;
      assert.deepEqual(planRenumbering(args, blocksOf(before)), []);
      const after = planned(edge(count));
      nothingMoved(before, after);
      const subnets = Object.values(places(after));
      assert.equal(new Set(subnets).size, subnets.length);
      assert.ok(!subnets.includes(undefined));
      before = after;
    }
    assert.deepEqual(
      before.subnets.filter(({ owner }) => owner.startsWith("containers edge")).map(({ owner, pin }) => [owner, pin]),
      [
        ["containers edge", 'pins["containers edge"]'],
        ["containers edge Block 2", 'pins["containers edge Block 2"]'],
        ["containers edge Block 3", 'pins["containers edge Block 3"]'],
      ],
    );
  });

  it("keeps what is in use where the number of hosts of a block becomes another, by the pins that the refusal names", () => {
    for (const hostsPerGroup of [8, 32]) {
      const before = planned(edge(20));
      const overlay = routed({ placement: { ...placement, hostsPerGroup } });
      const args = { overlay, networks: { web: {}, db: {} }, ...edge(30) } as SwarmClusterArgs;
      const moves = planRenumbering(args, blocksOf(before));
      const advice = describeRenumbering('swarm cluster "prod"', moves);
      const at = subnetOf(before, "containers edge");
      assert.ok(advice.includes(`Fix: keep it with pins["containers edge"]: "${at}".`), advice);
      // As a user does it: each line's pin, word for word.
      const pins = Object.fromEntries([...advice.matchAll(/pins\["([^"]+)"\]: "([^"]+)"/g)].map(([, owner = "", cidr = ""]) => [owner, cidr]));
      const after = planned({ ...args, pins });
      nothingMoved(before, after);
      assert.equal(new Set(Object.values(places(after))).size, 3 + 30 + 2);
      assert.deepEqual(planRenumbering({ ...args, pins }, blocksOf(before)), []);
    }
  });

  it("overlaps nothing, whatever the groups and networks, and does not depend on their order", () => {
    const name = fc.stringMatching(/^[a-z]{2,6}$/).filter((text) => !["none", "host", "bridge", "ingress", "control"].includes(text));
    const groups = fc.dictionary(name, fc.uniqueArray(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 6 }), { maxKeys: 5 });
    const networks = fc.dictionary(name, fc.integer({ min: 27, max: 29 }), { maxKeys: 4 });
    fc.assert(
      fc.property(groups, networks, (workers, slices) => {
        const args = (turn: <T>(entries: T[]) => T[]): Partial<SwarmClusterArgs> => ({
          hosts: {
            ...Object.fromEntries(turn(Object.entries(workers)).map(([key, numbers]) => [key, local.hosts({ role: "worker", numbers })])),
            control,
          },
          networks: Object.fromEntries(turn(Object.entries(slices)).map(([key, prefix]) => [key, { prefix }])),
        });
        const plan = planned(args((entries) => entries));
        const turned = planned(args((entries) => entries.reverse()));
        assert.deepEqual(places(turned), places(plan));
        const pieces = [
          ...plan.hosts.map(({ containerSubnet }) => containerSubnet ?? ""),
          ...plan.subnets.filter(({ owner }) => !/^(containers|docker pool|site) ?/.test(owner)).map(({ cidr }) => cidr),
          ...(plan.onHosts?.slices ?? []).filter(({ name: own }) => own === "bridge").map(({ slice }) => slice),
        ].map((text) => Cidr.parse(text) as Cidr);
        const sorted = pieces.sort((a, b) => a.compare(b));
        sorted.slice(1).forEach((piece, index) => assert.ok(!sorted[index]?.overlaps(piece), `${piece} overlaps ${sorted[index]}`));
      }),
      { numRuns: 200 },
    );
  });
});
