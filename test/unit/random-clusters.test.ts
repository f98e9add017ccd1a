import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import { type ClusterPlan } from "../../components/cluster/planned";
import * as existing from "../../components/hosts/existing";
import type { HostGroup } from "../../components/hosts/host";
import * as local from "../../components/hosts/local";
import { Cidr } from "../../components/addresses/cidr";
import { planRenumbering, withPins } from "../../components/cluster/renumbering";
import { renumbered } from "../../components/addresses/subnets";
import { wireguard } from "../../components/underlay/wireguard";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";

/** A group as it is written, so that two of one name can be told apart by nothing but their name. */
interface Group {
  readonly kind: "local" | "existing";
  readonly places: readonly number[];
}

interface Cluster {
  readonly groups: Readonly<Record<string, Group>>;
  readonly networks: Readonly<Record<string, number>>;
  readonly tunnel: boolean;
}

const name = fc.stringMatching(/^[a-z]{2,7}$/);
const group = fc.record({
  kind: fc.constantFrom<Group["kind"]>("local", "existing"),
  places: fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
});
const clusters: fc.Arbitrary<Cluster> = fc.record({
  groups: fc.dictionary(name, group, { maxKeys: 5 }),
  networks: fc.dictionary(
    name.filter((text) => text !== "none" && text !== "host" && text !== "bridge" && text !== "ingress"),
    fc.integer({ min: 22, max: 28 }),
    { maxKeys: 12 },
  ),
  tunnel: fc.boolean(),
});

function hostGroup(key: string, { kind, places }: Group): HostGroup {
  if (kind === "local") return local.hosts({ role: "worker", numbers: places });
  const second = 1 + [...key].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 250, 7);
  const machines = places.map((place): [string, existing.ExistingMachine] => [
    `${place}`,
    { address: `192.168.${second}.${place}`, publicAddress: `203.0.113.${place}`, hostKey },
  ]);
  // A site for each group: two groups may fall on one address otherwise.
  return existing.hosts({ role: "worker", site: key, agentSocket: "/run/agent", machines: Object.fromEntries(machines) });
}

function argsOf({ groups, networks, tunnel }: Cluster, more: Partial<SwarmClusterArgs> = {}): SwarmClusterArgs {
  const kept = Object.entries(groups).filter(([key, { kind }]) => key !== "control" && (kind === "local" || tunnel));
  return {
    firewall: { ssh: ["198.51.100.0/24"] },
    hosts: {
      control: local.hosts({ role: "manager", count: 3 }),
      ...Object.fromEntries(kept.map(([key, value]) => [key, hostGroup(key, value)])),
    },
    networks: Object.fromEntries(Object.entries(networks).map(([key, prefix]) => [key, { prefix }])),
    ...(tunnel && { underlay: wireguard() }),
    ...more,
  };
}

/** Everything that an address can be told by, by its owner. */
function addresses(plan: ClusterPlan): Readonly<Record<string, string>> {
  return Object.fromEntries(plan.subnets.map(({ owner, cidr }) => [owner, cidr]));
}

function assertNoOverlap({ subnets, hosts, tunnel }: ClusterPlan): void {
  const pieces = subnets.map(({ owner, cidr }) => ({ owner, network: Cidr.parse(cidr) as Cidr })).sort((a, b) => a.network.compare(b.network));
  pieces.slice(1).forEach(({ owner, network }, index) => {
    const before = pieces[index];
    assert.ok(before && !before.network.overlaps(network), `${owner} ${network} overlaps ${before?.owner} ${before?.network}`);
  });
  for (const [what, list] of Object.entries({
    address: hosts.map(({ site, address }) => `${site} ${address}`),
    tunnel: tunnel ? hosts.map(({ tunnelAddress }) => tunnelAddress) : [],
  })) {
    assert.equal(new Set(list).size, list.length, `two hosts share one ${what}`);
  }
  const blocks = new Map(pieces.map(({ owner, network }) => [owner, network]));
  for (const { key, group: owner, tunnelAddress } of tunnel ? hosts : []) {
    const block = blocks.get(`tunnel ${owner}`);
    assert.ok(block, `${owner} has a block`);
    assert.ok(block.contains(Cidr.parse(`${tunnelAddress}/32`) as Cidr), `${key} is outside of its group's block`);
  }
}

describe("ten thousand random clusters", function () {
  this.timeout(60_000);

  it("have no overlap anywhere, and the same plan whatever the order in which they are written", () => {
    const reversed = <T>(record: Readonly<Record<string, T>>): Record<string, T> => Object.fromEntries(Object.entries(record).reverse());
    fc.assert(
      fc.property(clusters, (cluster) => {
        const { plan, problems } = planCluster(argsOf(cluster));
        assert.deepEqual(
          problems.filter(({ path }) => path !== "hosts"),
          [],
        );
        const other = planCluster(argsOf({ ...cluster, groups: reversed(cluster.groups), networks: reversed(cluster.networks) })).plan;
        for (const each of [plan, other]) assertNoOverlap(each);
        assert.deepEqual(addresses(other), addresses(plan));
      }),
      { numRuns: 1500 },
    );
  });

  it("keep every address through an edit, or are told which pin keeps it, and the pins do", () => {
    let moved = 0;
    fc.assert(
      fc.property(clusters, clusters, fc.boolean(), (cluster, edit, adds) => {
        const before = planCluster(argsOf(cluster)).plan;
        const more: Cluster = {
          ...cluster,
          groups: adds ? { ...edit.groups, ...cluster.groups } : pick(cluster.groups, edit.networks),
          networks: adds ? { ...edit.networks, ...cluster.networks } : pick(cluster.networks, edit.groups),
        };
        const after = planCluster(argsOf(more)).plan;
        for (const plan of [before, after]) assertNoOverlap(plan);
        const [was, will] = [addresses(before), addresses(after)];
        const changed = Object.entries(was).filter(([owner, cidr]) => (will[owner] ?? cidr) !== cidr);
        const told = renumbered(after.subnets, was);
        assert.deepEqual(told.map(({ owner }) => owner).sort(), changed.map(([owner]) => owner).sort());
        if (told.length === 0) return;
        moved++;
        const kept = planCluster(withPins(argsOf(more), planRenumbering(argsOf(more), was))).plan;
        const stays = addresses(kept);
        assert.deepEqual(
          Object.entries(was).filter(([owner, cidr]) => (stays[owner] ?? cidr) !== cidr),
          [],
        );
        assertNoOverlap(kept);
      }),
      { numRuns: 1000 },
    );
    process.stdout.write(`      (an edit would have moved something in ${moved} of 2000)\n`);
    assert.ok(moved > 0, "no edit of all these moved anything: the case is not tried");
  });

  it("come back to where they were when what was renamed is renamed back", () => {
    fc.assert(
      fc.property(clusters, name, (cluster, other) => {
        const before = addresses(planCluster(argsOf(cluster)).plan);
        planCluster(argsOf({ ...cluster, networks: { ...cluster.networks, [other]: 24 } }));
        assert.deepEqual(addresses(planCluster(argsOf(cluster)).plan), before);
      }),
      { numRuns: 300 },
    );
  });

  it("of a thousand hosts are planned by a function that looks at each host a bounded number of times", () => {
    // Over direct(): a WireGuard mesh takes fewer hosts.
    const plan = (groups: number): ClusterPlan => {
      const hosts = Object.fromEntries(Array.from({ length: groups }, (_, index) => [`edge${index}`, local.hosts({ role: "worker", count: 249 })]));
      const { plan: made, problems } = planCluster({
        hosts: { control: local.hosts({ role: "manager", count: 4 + 1 }), ...hosts },
      });
      assert.deepEqual(problems, []);
      return made;
    };
    const start = process.hrtime.bigint();
    const { hosts, firewall } = plan(4);
    process.stdout.write(`      (${hosts.length} hosts, ${firewall.length} rules: ${Number((process.hrtime.bigint() - start) / 1_000_000n)} ms)\n`);
    assert.equal(hosts.length, 1001);
    assert.equal(new Set(hosts.map(({ address }) => address)).size, 1001);
    assert.equal(firewall.length - plan(1).firewall.length, 3, "rules grow with groups, not with hosts");
  });
});

/** Some of the entries, chosen by what else was drawn. */
function pick<T>(record: Readonly<Record<string, T>>, by: Readonly<Record<string, unknown>>): Record<string, T> {
  const names = Object.keys(by).join("");
  return Object.fromEntries(Object.entries(record).filter(([key]) => names.includes(key[0] ?? "")));
}
