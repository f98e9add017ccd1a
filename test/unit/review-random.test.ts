import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import type { FirewallRule, Source } from "../../components/firewall/rule";
import { isWorldOpen } from "../../components/firewall/world";
import type { EncryptionChannel } from "../../components/addresses/encryption";
import type { NetworkPolicy } from "../../components/network-policy/policy";
import type { ClusterChange, Finding } from "../../components/review/findings";
import { reviewCluster } from "../../components/review/review";
import type { Topology, TopologyHost, TopologySubnet } from "../../components/topology/topology";

const name = fc.constantFrom("a", "b", "c", "d", "e", "f", "g");
const rule: fc.Arbitrary<FirewallRule> = fc.record({
  name,
  protocol: fc.constantFrom("tcp", "udp"),
  ports: fc.uniqueArray(fc.integer({ min: 1, max: 6 }).map(String), { minLength: 1, maxLength: 3 }),
  from: fc.uniqueArray(fc.constantFrom("world", "0.0.0.0/0", "::/0", "members", "managers", "10.0.0.0/8", "203.0.113.0/24"), { minLength: 1 }),
  to: fc.constantFrom("members", "managers", "workers", "group edge"),
  over: fc.constant("site"),
  answers: fc.constantFrom("host", "container"),
  reason: fc.constant("a reason"),
});
const host: fc.Arbitrary<TopologyHost> = fc.record({
  key: name,
  role: fc.constantFrom("manager", "worker"),
  provider: fc.constant("existing"),
  site: fc.constantFrom("here", "there"),
  address: fc.integer({ min: 1, max: 99 }).map((last) => `192.168.7.${last}`),
});
const subnet: fc.Arbitrary<TopologySubnet> = fc.record({
  owner: name.map((own) => `network ${own}`),
  cidr: fc.integer({ min: 0, max: 9 }).map((third) => `10.96.${third}.0/24`),
  purpose: fc.constant("a network"),
  pinned: fc.boolean(),
});
const channel: fc.Arbitrary<EncryptionChannel> = fc.record({
  channel: fc.constantFrom("underlay", "overlay data", "raft log", "disks"),
  mechanism: fc.constantFrom("none", "AES", "NaCl"),
  keyHolder: fc.constantFrom("one", "another"),
  rotation: fc.constantFrom("daily", "never"),
  protects: fc.boolean(),
});
const policy: fc.Arbitrary<NetworkPolicy> = fc.record({
  name: name.map((own) => `policy ${own}`),
  from: fc.uniqueArray(fc.constantFrom<Source>("web", "group edge", "10.20.0.0/16", "world"), { minLength: 1 }),
  to: fc.uniqueArray(fc.constantFrom("db", "cache"), { minLength: 1 }),
  protocol: fc.constantFrom("tcp", "udp"),
  ports: fc.uniqueArray(fc.constantFrom("443", "5432", "8000-9000"), { minLength: 1 }),
});
const topology: fc.Arbitrary<Topology> = fc.record({
  cluster: fc.constant("prod"),
  addressSpace: fc.constant("10.96.0.0/14"),
  overlay: fc.constantFrom("native", "weave", "flannel"),
  underlay: fc.constant("direct"),
  mtu: fc.constantFrom(1390, 1450),
  enforced: fc.constantFrom("hosts", "none"),
  hosts: fc.uniqueArray(host, { selector: ({ key }) => key, maxLength: 6 }),
  networks: fc.uniqueArray(fc.record({ name, subnet: fc.constant("10.99.0.0/24"), internal: fc.boolean() }), { selector: (each) => each.name }),
  gateways: fc.uniqueArray(
    fc.record(
      {
        name,
        to: fc.constantFrom("192.168.7.20", "oracle.example.com"),
        port: fc.constantFrom(1521, 5432),
        targetPort: fc.constant(1521),
        on: fc.constantFrom("group rack", "workers"),
        networks: fc.constantFrom(["web"], ["web", "store"]),
        encryptedBy: fc.constantFrom("nothing", "inside the wireguard underlay"),
        image: fc.constant("docker.io/library/haproxy:3.0.11"),
      },
      // What is compared below comes from JSON in earnest, where no object is without a prototype.
      { noNullPrototype: true },
    ),
    { selector: (each) => each.name, maxLength: 3 },
  ),
  subnets: fc.uniqueArray(subnet, { selector: ({ owner }) => owner, maxLength: 5 }),
  rules: fc.uniqueArray(rule, { selector: (each) => each.name, maxLength: 6 }),
  policies: fc.uniqueArray(policy, { selector: (each) => each.name, maxLength: 3 }),
  peers: fc.uniqueArray(
    fc.record({
      name,
      address: fc.constantFrom("10.0.0.1", "10.0.0.2"),
      as: fc.constantFrom(65010, 65011),
      clusterAs: fc.constant(64512),
      on: fc.constantFrom("members", "group rack"),
      announces: fc.constantFrom({ web: "0.0.0.64/26" }, { "all networks": "each host's own /24" }),
      accepts: fc.constantFrom([], ["0.0.0.0/0"]),
      signedBy: fc.constantFrom("TCP MD5", "nothing"),
      bfd: fc.boolean(),
    }),
    { selector: (each) => each.name, maxLength: 3 },
  ),
  trunks: fc.uniqueArray(
    fc.record({
      name,
      network: fc.constantFrom("web", "db"),
      subnet: fc.constant("10.98.192.0/19"),
      addresses: fc.constantFrom("10.98.207.0/26", "10.98.207.64/26"),
      vlan: fc.constantFrom(120, 130),
      on: fc.constantFrom("rack-1", "rack-2"),
      interface: fc.constant("eth1"),
      mtu: fc.constant(1446),
    }),
    { selector: (each) => each.name, maxLength: 3 },
  ),
  encryption: fc.uniqueArray(channel, { selector: (each) => each.channel }),
  programs: fc.uniqueArray(fc.record({ name, version: fc.constantFrom("1", "2") }), { selector: (each) => each.name, maxLength: 2 }),
});

const step = { op: "update", urn: "urn:pulumi:x::y::a:b:C::prod", type: "a:b:C", changed: [] };
const findingsOf = (before: Topology | undefined, after: Topology | undefined): readonly Finding[] => {
  const change: ClusterChange = {
    cluster: "prod",
    before,
    after,
    steps: [step],
    machines: [],
    partial: false,
    otherKeys: [],
    unseenSettings: [],
    livesOn: false,
  };
  return reviewCluster(change).findings;
};
const subjects = (findings: readonly Finding[], section: Finding["section"], kind?: Finding["kind"]): string[] =>
  findings.filter((each) => each.section === section && (kind === undefined || each.kind === kind)).flatMap(({ subject }) => subject.split(", "));

describe("the review of random edits", () => {
  it("finds nothing where a cluster stays as it is", () => {
    fc.assert(
      fc.property(topology, (same) => assert.deepEqual(findingsOf(same, { ...same }), [])),
      { numRuns: 30 },
    );
  });

  it("names each rule that is opened, changed or closed once, and each risk once", () => {
    let worlds = 0;
    fc.assert(
      fc.property(topology, topology, (before, after) => {
        const findings = findingsOf(before, after);
        const was = new Map(before.rules.map((each) => [each.name, each]));
        const policies = new Set(before.policies.map((each) => each.name));
        const opened = [...after.rules.filter((each) => !was.has(each.name)), ...after.policies.filter((each) => !policies.has(each.name))].map(
          (each) => each.name,
        );
        const closed = (["rules", "policies"] as const).flatMap((kind) =>
          before[kind].filter((each) => !after[kind].some((other) => other.name === each.name)).map((each) => each.name),
        );
        assert.deepEqual(subjects(findings, "firewall", "added").sort(), opened.sort());
        assert.deepEqual(subjects(findings, "firewall", "removed").sort(), closed.sort());
        const all = subjects(
          findings.filter(({ kind }) => kind !== "note"),
          "firewall",
        );
        assert.equal(new Set(all).size, all.length, "a rule is named twice");
        const risky = findings
          .filter(({ risk }) => risk !== undefined)
          .map(({ risk, section, kind, subject }) => `${risk} ${section} ${kind} ${subject}`);
        assert.equal(new Set(risky).size, risky.length, `a risk is named twice: ${risky.join("; ")}`);
        const leaving = before.hosts.filter(({ key, address }) => !after.hosts.some((other) => other.key === key || other.address === address));
        const stripped = findings.filter(({ section, kind }) => section === "firewall" && kind === "note");
        if (before.hosts.every(({ site }) => site === "here") && after.hosts.every(({ site }) => site === "here"))
          assert.deepEqual(
            stripped.flatMap(({ subject }) => subject.split(", ")).sort(),
            before.enforced === "none" ? [] : leaving.map(({ key }) => key).sort(),
          );
        const rules = findings.filter(({ risk, kind, subject }) => risk === "world-open" && kind !== "note" && subject !== "enforcement");
        for (const each of rules) {
          worlds++;
          assert.ok([...after.rules, ...after.policies].some((known) => known.name === each.subject && isWorldOpen(known)));
        }
      }),
      { numRuns: 30 },
    );
    assert.ok(worlds > 5, "hardly any rule of all these is open to the world: the case is not tried");
  });

  it("names each gateway that is opened, changed or closed once", () => {
    fc.assert(
      fc.property(topology, topology, (before, after) => {
        const findings = findingsOf(before, after);
        const names = ({ gateways }: Topology, { gateways: others }: Topology): string[] =>
          gateways.flatMap(({ name: own }) => (others.some((other) => other.name === own) ? [] : [own])).sort();
        assert.deepEqual(subjects(findings, "gateways", "added").sort(), names(after, before));
        assert.deepEqual(subjects(findings, "gateways", "removed").sort(), names(before, after));
        const changed = after.gateways.filter((now) => before.gateways.some((was) => was.name === now.name && !isDeepStrictEqual(was, now)));
        assert.deepEqual(subjects(findings, "gateways", "changed").sort(), changed.map((each) => each.name).sort());
      }),
      { numRuns: 30 },
    );
  });

  it("finds the world where it was kept out, however many rules there are, and not where it was let in already", () => {
    fc.assert(
      fc.property(topology, rule, (before, added) => {
        const fresh = { ...added, name: "fresh", ports: ["4711"], from: ["world", ...added.from] };
        const after = { ...before, rules: [...before.rules, fresh] };
        const risky = (one: Topology, other: Topology): string[] =>
          findingsOf(one, other).flatMap(({ risk, subject }) => (risk === "world-open" ? [subject] : []));
        assert.deepEqual(risky(before, after), ["fresh"]);
        assert.deepEqual(risky(after, before), []);
        assert.deepEqual(risky(after, { ...after, rules: [...after.rules, { ...fresh, name: "same" }] }), []);
      }),
      { numRuns: 20 },
    );
  });

  it("names each piece of address space that is assigned, released or moved once", () => {
    fc.assert(
      fc.property(topology, topology, (before, after) => {
        const said = subjects(findingsOf(before, { ...after, hosts: before.hosts }), "addresses").sort();
        const was = new Map(before.subnets.map(({ owner, cidr }) => [owner, cidr]));
        const will = new Map(after.subnets.map(({ owner, cidr }) => [owner, cidr]));
        const changed = [...new Set([...was.keys(), ...will.keys()])].filter((owner) => was.get(owner) !== will.get(owner));
        assert.deepEqual(said, changed.sort());
      }),
      { numRuns: 20 },
    );
  });
});
