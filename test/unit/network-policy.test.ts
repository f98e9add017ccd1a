import assert from "node:assert/strict";
import * as fc from "fast-check";
import { nftRuleset } from "../../components/firewall/nftables";
import type { FirewallHost, Source } from "../../components/firewall/rule";
import type { NetworkPolicyArgs } from "../../components/network-policy/args";
import { outsideLines, policyLines, type RoutedSpace } from "../../components/network-policy/compile";
import { planPolicies, type PolicyContext } from "../../components/network-policy/plan";
import type { NetworkPolicy } from "../../components/network-policy/policy";
import { planCluster, type SwarmClusterArgs } from "../../components";
import { calico, flannel, native, openvswitch, weave } from "../../components";
import * as existing from "../../components/hosts/existing";
import { evaluate, type Packet } from "./firewall-evaluator";

const context: PolicyContext = {
  networks: ["web", "db", "cache"],
  groups: [
    { key: "control", role: "manager" },
    { key: "rack", role: "manager" },
  ],
};

function planned(policy: unknown, more: Partial<PolicyContext> = {}): ReturnType<typeof planPolicies> & { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const report = (path: string, message: string, fix: string): void => void problems.push(`${path}: ${message}. Fix: ${fix}`);
  return { ...planPolicies(policy as Record<string, NetworkPolicyArgs>, { ...context, ...more }, report), problems };
}

const one = (args: object, more: Partial<PolicyContext> = {}): readonly string[] =>
  planned({ p: { from: ["web"], to: ["db"], port: 5432, ...args } }, more).problems;

describe("the plan of policies", () => {
  it("takes networks, hosts, IPv4 networks and everybody, and ports as the firewall does", () => {
    const { policies, problems, warnings } = planned({
      "web may reach db": { from: ["web"], to: ["db"], port: 5432 },
      "outside may reach cache": { from: ["group rack", "10.20.0.0/16", "world"], to: ["cache", "db"], port: [6379, "7000-7010"], protocol: "udp" },
    });
    assert.deepEqual([problems, warnings], [[], []]);
    assert.deepEqual(policies, [
      { name: "web may reach db", from: ["web"], to: ["db"], protocol: "tcp", ports: ["5432"] },
      {
        name: "outside may reach cache",
        from: ["group rack", "10.20.0.0/16", "world"],
        to: ["cache", "db"],
        protocol: "udp",
        ports: ["6379", "7000-7010"],
      },
    ]);
  });

  it("says what is wrong with a source", () => {
    assert.deepEqual(one({ from: ["wbe"] }), ['policy.p.from[0]: there is no network "wbe"; did you mean "web"?. Fix: write "web"']);
    assert.deepEqual(one({ from: ["shop"] }), ['policy.p.from[0]: there is no network "shop". Fix: the networks are web, db, cache']);
    assert.deepEqual(one({ from: ["group rak"] }), [
      'policy.p.from[0]: there is no group "rak"; did you mean "group rack"?. Fix: write "group rack"',
    ]);
    assert.deepEqual(one({ from: ["anywhere"] }), [
      'policy.p.from[0]: "anywhere" is neither a network nor hosts of the cluster. Fix: write "world" for everybody',
    ]);
    assert.deepEqual(one({ from: ["10.20.0.1/16"] }), [
      'policy.p.from[0]: "10.20.0.1/16" has bits set beyond its prefix; the network is 10.20.0.0/16. Fix: write "10.20.0.0/16", or "10.20.0.1/32" for this one address',
    ]);
    assert.deepEqual(one({ from: ["2001:db8::/32"] }), [
      'policy.p.from[0]: "2001:db8::/32" is an IPv6 network, and containers of the cluster\'s networks have IPv4 addresses alone. Fix: name an IPv4 network',
    ]);
    assert.deepEqual(one({ from: "web" }), ['policy.p.from: "web" is not a list of sources. Fix: write it as ["web"]']);
    assert.deepEqual(one({ from: undefined }), ['policy.p.from: a list of sources is missing. Fix: write it as ["web"]']);
    assert.deepEqual(one({ from: [] }), ["policy.p.from: it names no source. Fix: name at least one, or leave the policy out"]);
    assert.deepEqual(one({ from: ["web", "web"] }), ['policy.p.from[1]: "web" is named twice. Fix: name it once']);
    assert.deepEqual(one({ from: [7] }), [
      'policy.p.from[0]: 7 is not a network in CIDR form. Fix: write a network such as "203.0.113.0/24" or "2001:db8::/32", "world", "members", "managers", "workers" or "group NAME"',
    ]);
    assert.deepEqual(one({ from: ["workers"] }, { networks: ["workers", "db"] }), [
      'policy.p.from[0]: "workers" is a network of the cluster, and also means hosts or everybody. Fix: give the network another name',
    ]);
  });

  it("says what is wrong with a target, a port, a protocol and a name", () => {
    assert.deepEqual(one({ to: ["bd"] }), ['policy.p.to[0]: there is no network "bd"; did you mean "db"?. Fix: write "db"']);
    assert.deepEqual(one({ to: ["db"] }, { networks: [] }), [
      'policy.p.to[0]: there is no network "db". Fix: make a network first, in networks',
      'policy.p.from[0]: there is no network "web". Fix: make a network first, in networks',
    ]);
    assert.deepEqual(one({ to: ["group rack"] }), [
      'policy.p.to[0]: "group rack" is not a network of the cluster, and a policy opens those alone. Fix: the networks are web, db, cache; ports of hosts are opened in firewall.expose and firewall.allow',
    ]);
    assert.deepEqual(one({ to: [] }), ["policy.p.to: it names no network. Fix: name at least one, or leave the policy out"]);
    assert.deepEqual(one({ from: ["web", "cache"], to: ["web"] }), [
      'policy.p: "web" is in from and in to: containers of a network reach each other without a policy. Fix: take it out of one of them',
    ]);
    assert.deepEqual(one({ port: 65536 }), [
      'policy.p.port: 65536 is not a port or a range. Fix: give a whole number from 1 to 65535, or a range such as "30000-30100"',
    ]);
    assert.deepEqual(one({ port: [443, "https"] }), ['policy.p.port[1]: "https" is not a port or a range. Fix: write 443']);
    assert.deepEqual(one({ port: undefined }), [
      'policy.p.port: a port or a range is missing. Fix: give a whole number from 1 to 65535, or a range such as "30000-30100"',
    ]);
    assert.deepEqual(one({ protocol: "both" }), [
      'policy.p.protocol: "both" are several, and a rule has one. Fix: make an entry for "tcp" and one for "udp"',
    ]);
    assert.deepEqual(planned({ "!!": { from: ["web"], to: ["db"], port: 1 } }).problems, [
      'policy.!!: "!!" cannot name a policy. Fix: choose a name such as "web may reach db", of at most 80 letters',
    ]);
  });

  it("reports all that is wrong at once", () => {
    const { problems } = planned({ a: { from: ["wbe"], to: ["bd"], port: 0, protocol: "sctp" }, b: { from: ["db"], to: ["db"], port: 1 } });
    assert.deepEqual(
      problems.map((line) => line.split(":")[0]),
      ["policy.a.protocol", "policy.a.port", "policy.a.to[0]", "policy.a.from[0]", "policy.b"],
    );
  });

  it("warns of hosts that there are none of", () => {
    assert.deepEqual(planned({ p: { from: ["workers", "web"], to: ["db"], port: 1 } }).warnings, [
      "policy.p: it is open to workers, and the cluster has none",
    ]);
  });
});

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
function clusterOf(more: Partial<SwarmClusterArgs>): ReturnType<typeof planCluster> {
  const machines = { a: { address: "10.1.0.1", hostKey } };
  const hosts = { control: existing.hosts({ role: "manager", privateKey: "key", machines, network: "10.1.0.0/24" }) };
  return planCluster({
    hosts,
    networks: { web: {}, db: {} },
    firewall: { ssh: ["203.0.113.0/24"] },
    policy: { "web may reach db": { from: ["web"], to: ["db"], port: 5432 } },
    ...more,
  });
}
const policyProblems = (more: Partial<SwarmClusterArgs>): string[] =>
  clusterOf(more).problems.flatMap(({ path, message }) => (path.startsWith("policy") ? [`${path}: ${message}`] : []));

describe("policies of a cluster", () => {
  it("are for overlays that route, and refused by the others with the reason", () => {
    for (const overlay of [calico(), flannel()]) assert.deepEqual(policyProblems({ overlay }), []);
    assert.deepEqual(policyProblems({ overlay: native() }), [
      "policy: native() keeps each network in a VXLAN of its own, and no host routes from one to another",
    ]);
    assert.deepEqual(policyProblems({ overlay: weave() }), [
      "policy: Weave carries packets from container to container, past every firewall of the host, and nothing routes from one network to another",
    ]);
    assert.deepEqual(policyProblems({ overlay: openvswitch() }), [
      "policy: each network is a VLAN of its own, and no host routes from one to another",
    ]);
    for (const overlay of [native(), weave(), openvswitch()]) assert.deepEqual(policyProblems({ overlay, policy: {} }), []);
  });

  it("are told to hosts where there are some, and change nothing where there are none", () => {
    const { plan } = clusterOf({ overlay: calico({ hostPrefix: 25 }) });
    assert.deepEqual(plan.onHosts?.policy, { policies: plan.policies, hostPrefix: 25 });
    assert.ok(!("policy" in (clusterOf({ overlay: calico(), policy: {} }).plan.onHosts ?? {})));
  });

  it("need names of which each makes a resource of its own", () => {
    const same = { from: ["web"], to: ["db"], port: 1 };
    const found = policyProblems({ overlay: calico(), policy: { "web may reach db": same, "web-may-reach-db": same } });
    assert.equal(found.length, 1, found.join());
    assert.match(found[0] ?? "", /^policy\.web/);
  });

  it("name options that there are not", () => {
    const policy = { p: { from: ["web"], to: ["db"], ports: [1] } } as unknown as NonNullable<SwarmClusterArgs["policy"]>;
    assert.match(policyProblems({ overlay: calico(), policy }).join("\n"), /policy\.p\.ports: .*port/);
  });
});

const hosts: readonly FirewallHost[] = [
  { key: "control-1", role: "manager", group: "control", site: "here", address: "10.1.0.1", tunnelAddress: "10.97.0.1" },
  { key: "rack-1", role: "worker", group: "rack", site: "here", address: "10.1.0.2", tunnelAddress: "10.97.0.2" },
];
const [here] = hosts;
assert.ok(here);

const slices = [
  { name: "web", slice: "0.0.0.0/26" },
  { name: "db", slice: "0.0.0.64/26" },
  { name: "bridge", slice: "0.0.0.224/27" },
];
function routed(...policies: readonly NetworkPolicy[]): RoutedSpace {
  return { space: "10.96.0.0/16", slices, policy: { policies, hostPrefix: 24 } };
}
const policy = (from: readonly Source[], more: Partial<NetworkPolicy> = {}): NetworkPolicy => ({
  name: "web may reach db",
  from,
  to: ["db"],
  protocol: "tcp",
  ports: ["5432"],
  ...more,
});

describe("policies on a host", () => {
  it("are a line for each two networks, which are told by their place in a host's subnet", () => {
    assert.deepEqual(policyLines(routed(policy(["web"], { ports: ["8000-8010", "5432"] })), here, hosts), {
      between: [
        "ip saddr 10.96.0.0/16 ip saddr & 0.0.0.192 == 0.0.0.0 ip daddr 10.96.0.0/16 ip daddr & 0.0.0.192 == 0.0.0.64 " +
          'tcp dport { 5432, 8000-8010 } accept comment "policy web may reach db"',
      ],
      outside: [],
    });
  });

  it("take others outside by address, and hosts by that with which they come", () => {
    const db = "ip daddr 10.96.0.0/16 ip daddr & 0.0.0.192 == 0.0.0.64 tcp dport 5432";
    const all = routed(policy(["group rack", "10.20.0.0/16", "10.20.1.0/24"]));
    assert.deepEqual(policyLines(all, here, hosts), {
      between: [],
      outside: [
        `ip saddr 10.20.0.0/16 ${db} accept comment "policy web may reach db"`,
        `ip saddr 10.1.0.2 ${db} accept comment "policy web may reach db"`,
      ],
    });
    assert.deepEqual(policyLines(all, here, hosts, "swarm0").outside, [
      `iifname != "swarm0" ip saddr 10.20.0.0/16 ${db} accept comment "policy web may reach db"`,
      `iifname "swarm0" ip saddr 10.97.0.2 ${db} accept comment "policy web may reach db"`,
    ]);
    assert.deepEqual(policyLines(routed(policy(["world"])), here, hosts).outside, [
      `meta nfproto ipv4 ${db} accept comment "policy web may reach db"`,
    ]);
  });

  it("do not depend on the order in which they are written", () => {
    const a = policy(["web"], { name: "a" });
    const b = policy(["10.20.0.0/16", "group rack"], { name: "b", to: ["db", "web"] });
    const turned = { ...b, from: [...b.from].reverse(), to: [...b.to].reverse() };
    assert.deepEqual(policyLines(routed(a, b), here, hosts), policyLines(routed(turned, a), here, [...hosts].reverse()));
  });

  it("cannot be broken out of by a name", () => {
    const [line] = policyLines(routed(policy(["web"], { name: 'x" accept; "' })), here, hosts).between;
    assert.match(line ?? "", /accept comment "policy x\? accept\? \?"$/);
  });

  it("open the host's own firewall to those outside, and to nobody else", () => {
    const all = routed(policy(["web", "10.20.0.0/16"]));
    const options = { routedIn: [{ network: all.space }], toRouted: outsideLines(all, here, hosts) };
    const ruleset = nftRuleset([], here, hosts, options);
    const packet: Packet = {
      hook: "forward",
      source: "10.20.0.9",
      target: "10.96.1.65",
      protocol: "tcp",
      port: 5432,
      arrivesOn: "eth0",
      leavesOn: "cal-db",
      bridges: ["cal-db"],
    };
    assert.equal(evaluate(ruleset, packet), "accept");
    const others: Partial<Packet>[] = [{ source: "10.21.0.9" }, { port: 5433 }, { protocol: "udp" }, { target: "10.96.1.2" }];
    for (const other of others) assert.equal(evaluate(ruleset, { ...packet, ...other }), "drop", JSON.stringify(other));
    assert.equal(
      nftRuleset([], here, hosts, { routedIn: options.routedIn, toRouted: outsideLines(routed(policy(["web"])), here, hosts) }),
      nftRuleset([], here, hosts, { routedIn: options.routedIn }),
    );
    assert.deepEqual(outsideLines({ space: all.space, slices }, here, hosts), []);
    assert.deepEqual(outsideLines(undefined, here, hosts), []);
  });

  it("let through what some policy names, and nothing else, whatever policies there are", () => {
    const names = ["web", "db", "bridge"] as const;
    const anyPolicy = fc.record({
      from: fc.uniqueArray(fc.constantFrom<Source>(...names, "group rack", "10.20.0.0/16"), { minLength: 1 }),
      to: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
      protocol: fc.constantFrom("tcp" as const, "udp" as const),
      ports: fc.uniqueArray(fc.constantFrom("80", "443", "400-500", "5432"), { minLength: 1 }),
    });
    const sources = {
      web: "10.96.7.3",
      db: "10.96.7.70",
      bridge: "10.96.7.230",
      "group rack": "10.1.0.2",
      "10.20.0.0/16": "10.20.4.4",
      nobody: "192.0.2.1",
    };
    const targets = { web: "10.96.1.5", db: "10.96.1.66", bridge: "10.96.1.231" };
    const holds = (range: string, port: number): boolean => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return first <= port && port <= last;
    };
    fc.assert(
      fc.property(
        fc.array(anyPolicy, { maxLength: 4 }),
        fc.constantFrom(...(Object.keys(sources) as (keyof typeof sources)[])),
        fc.constantFrom(...names),
        fc.constantFrom("tcp" as const, "udp" as const),
        fc.constantFrom(80, 443, 450, 501, 5432),
        (policies, source, target, protocol, port) => {
          const named = policies.map((each, index) => ({ ...each, name: `p${index}` }));
          const { between, outside } = policyLines(routed(...named), here, hosts);
          const text = [
            "table inet x {",
            "  chain forward {",
            "    type filter hook forward priority filter - 4; policy drop;",
            ...[...between, ...outside].map((line) => `    ${line}`),
            "  }",
            "}",
          ].join("\n");
          const wanted = named.some(
            (each) =>
              each.from.includes(source) && each.to.includes(target) && each.protocol === protocol && each.ports.some((range) => holds(range, port)),
          );
          const packet: Packet = { hook: "forward", source: sources[source], target: targets[target], protocol, port, arrivesOn: "eth0" };
          assert.equal(evaluate(text, packet), wanted ? "accept" : "drop");
        },
      ),
      { numRuns: 300 },
    );
  });
});
