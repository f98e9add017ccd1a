import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import type { FirewallArgs } from "../../components/firewall/args";
import { cloudRules } from "../../components/firewall/cloud";
import { nftRuleset, type RoutedNetwork, smallestRuleset } from "../../components/firewall/nftables";
import { openPorts } from "../../components/firewall/open";
import { rulePorts } from "../../components/firewall/ports";
import type { FirewallHost, FirewallRule, HostSelector, Source } from "../../components/firewall/rule";
import { evaluate, type Packet } from "./firewall-evaluator";
import { host, hosts, rule, sound, swarmRules } from "./firewall-fixtures";

const tunnel = { tunnelInterface: "swarm0" };
const args: FirewallArgs = {
  ssh: ["203.0.113.0/24", "2001:db8:1::/48", "203.0.113.128/25"],
  expose: {
    https: { port: 443, from: ["world"], on: "workers" },
    admin: { port: [8443, "9000-9010"], from: ["198.51.100.0/24"], publish: "host" },
  },
  allow: { metrics: { port: 9100, from: ["managers"] } },
};
const direct = swarmRules("site");
const inTheTunnel = sound(args).rules;
const onTheSite = sound(args, { contributed: [...direct, rule("encryption", "esp", [], "members", "site")] }).rules;

function golden(name: string, text: string): void {
  const file = join(__dirname, "golden", `${name}.nft`);
  if (process.env["UPDATE_GOLDEN"] !== undefined || !existsSync(file)) {
    assert.ok(process.env["UPDATE_GOLDEN"] !== undefined, `${file} is missing: write it with UPDATE_GOLDEN=1`);
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, "utf8"), `differs from ${file}; when that is meant, write it anew with UPDATE_GOLDEN=1`);
}

/** Rules as overlays and users may have them, sources and all. */
const selectors = fc.constantFrom<HostSelector>("members", "managers", "workers", "group control", "group edge", "group lost");
const sources = fc.oneof(
  selectors,
  fc.constantFrom<Source>("world", "10.1.0.0/16", "10.1.0.2/32", "203.0.113.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0", "172.17.0.0/16"),
);
const ports = fc.array(fc.constantFrom("22", "80", "443", "440-450", "8080", "8000-9000"), { minLength: 1, maxLength: 3 });
const anyRule = fc
  .record({
    protocol: fc.constantFrom("tcp" as const, "udp" as const),
    ports,
    to: selectors,
    site: fc.array(sources, { minLength: 1, maxLength: 3 }),
    peers: fc.array(selectors, { minLength: 1, maxLength: 2 }),
    over: fc.constantFrom("site" as const, "tunnel" as const),
    answers: fc.constantFrom("host" as const, "container" as const),
    unknownAddress: fc.constantFrom("open" as const, "closed" as const),
  })
  .map(({ protocol, ports, to, site, peers, over, answers, unknownAddress }) =>
    rule("any", protocol, ports, to, over, { from: over === "tunnel" ? peers : site, answers, unknownAddress }),
  );
const anyRules = fc.array(anyRule, { maxLength: 6 }).map((rules) => rules.map((one, index) => ({ ...one, name: `rule-${index}` })));
const addresses = [
  "203.0.113.9",
  "10.1.0.1",
  "10.1.0.2",
  "198.51.100.77",
  "198.51.100.2",
  "8.8.8.8",
  "2001:db8::5",
  "2a00::1",
  "10.99.0.1",
  "10.99.0.3",
];
const someHost = fc.constantFrom(...hosts);

describe("the ruleset of a host", () => {
  for (const key of ["control-1", "edge-1", "lost-1"]) {
    it(`of ${key} with a tunnel is as it was`, () => golden(`firewall-tunnel-${key}`, nftRuleset(inTheTunnel, host(key), hosts, tunnel)));
  }
  it("of a manager without a tunnel is as it was", () => golden("firewall-site-control-1", nftRuleset(onTheSite, host("control-1"), hosts)));

  it("is read by this machine's nft, with and without a tunnel", function () {
    for (const text of [
      nftRuleset(inTheTunnel, host("lost-1"), hosts, tunnel),
      nftRuleset(onTheSite, host("edge-1"), hosts),
      nftRuleset([], host("edge-1"), hosts),
    ]) {
      const { error, status, stderr } = spawnSync("unshare", ["-rn", "nft", "-c", "-f", "-"], { input: text, encoding: "utf8" });
      if (error !== undefined || /unshare|not found|No such file/.test(stderr)) this.skip();
      assert.equal(status, 0, stderr);
    }
  });

  it("never flushes, and replaces only our own table", () => {
    const text = nftRuleset(inTheTunnel, host("control-1"), hosts, tunnel);
    assert.doesNotMatch(text, /flush/);
    assert.ok(text.startsWith("table inet pulumi_swarm\ndelete table inet pulumi_swarm\ntable inet pulumi_swarm {\n"));
    assert.equal([...text.matchAll(/table (?!inet pulumi_swarm)/g)].length, 0);
  });

  it("cannot be made of rules for a tunnel that is not there", () => {
    assert.throws(() => nftRuleset(inTheTunnel, host("control-1"), hosts), /is for the tunnel, but there is none/);
  });

  it("cannot be broken out of by a rule's name", () => {
    const text = nftRuleset([rule('a" accept; "', "tcp", ["1"], "members", "site", { from: ["world"] })], host("edge-1"), hosts);
    assert.match(text, /comment "a\? accept\? \?"/);
  });

  it("is the same text for the same rules and hosts, in whatever order they come", () => {
    const shuffled = anyRules.chain((rules) =>
      fc.tuple(
        fc.constant(rules),
        fc.shuffledSubarray(rules, { minLength: rules.length }),
        fc.shuffledSubarray([...hosts], { minLength: hosts.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, someHost, ([rules, others, reordered], target) => {
        const turned = others.map((one) => ({ ...one, ports: [...one.ports].reverse(), from: [...one.from].reverse() }));
        assert.equal(nftRuleset(rules, target, hosts, tunnel), nftRuleset(turned, target, reordered, tunnel));
      }),
    );
  });

  it("lets in exactly what the open ports say, for any rules, from any address, on the site and in the tunnel", function () {
    this.timeout(60_000);
    const calls = fc.record({
      address: fc.constantFrom(...addresses),
      arrivesOn: fc.constantFrom("site" as const, "tunnel" as const),
      protocol: fc.constantFrom("tcp" as const, "udp" as const),
      port: fc.constantFrom(21, 22, 80, 443, 445, 8080, 8999, 9001),
      published: fc.boolean(),
    });
    let opened = 0;
    fc.assert(
      fc.property(anyRules, someHost, calls, (rules, target, { address, arrivesOn, protocol, port, published }) => {
        const reachable = published ? rules.filter(({ answers }) => answers === "container") : rules;
        const open = rulePorts(openPorts(reachable, target, { address, arrivesOn }, hosts)[protocol]).some(
          ({ first, last }) => first <= port && port <= last,
        );
        const verdict = evaluate(nftRuleset(rules, target, hosts, tunnel), {
          hook: published ? "forward" : "input",
          source: address,
          protocol,
          port,
          arrivesOn: arrivesOn === "tunnel" ? "swarm0" : "eth0",
          leavesOn: "docker0",
          bridges: ["docker0"],
          translated: published,
        });
        assert.equal(verdict, open ? "accept" : "drop");
        if (open) opened++;
      }),
      { numRuns: 3_000 },
    );
    assert.ok(opened > 50, `only ${opened} of the calls were let in: the test shows little`);
  });

  const text = nftRuleset(inTheTunnel, host("control-1"), hosts, tunnel);
  const packets: readonly (readonly [string, Packet, "accept" | "drop"])[] = [
    [
      "a container to a service of its host",
      { hook: "input", source: "172.17.0.2", protocol: "tcp", port: 9100, arrivesOn: "br-0a", bridges: ["br-0a"] },
      "drop",
    ],
    ...(["udp", "tcp"] as const).flatMap((protocol): [string, Packet, "accept" | "drop"][] => {
      const call = { hook: "input" as const, source: "172.17.0.2", protocol, arrivesOn: "docker0", bridges: ["docker0"] };
      return [
        [`a container to the host's own resolver over ${protocol}`, { ...call, port: 53, resolver: true }, "accept"],
        [`a container to that over IPv6 and ${protocol}`, { ...call, source: "fd00::2", port: 53, resolver: true }, "accept"],
        [`a container to another port of the same address over ${protocol}`, { ...call, port: 5353, resolver: true }, "drop"],
        [`a container to port 53 of another address of the host over ${protocol}`, { ...call, port: 53 }, "drop"],
        [`a stranger to the host's own resolver over ${protocol}`, { ...call, arrivesOn: "eth0", port: 53, resolver: true }, "drop"],
      ];
    }),
    [
      "a container that forges a member's address",
      { hook: "input", source: "10.1.0.2", protocol: "tcp", port: 9100, arrivesOn: "br-0a", bridges: ["br-0a"] },
      "drop",
    ],
    ["a member with that address", { hook: "input", source: "10.1.0.2", protocol: "tcp", port: 9100, arrivesOn: "eth0" }, "accept"],
    [
      "a member by an uplink that is a bridge",
      { hook: "input", source: "10.1.0.2", protocol: "tcp", port: 9100, arrivesOn: "br-lan", bridges: ["br-lan"] },
      "accept",
    ],
    [
      "a container's echo request",
      { hook: "input", source: "172.17.0.2", protocol: "icmp", port: 0, arrivesOn: "docker0", bridges: ["docker0"] },
      "accept",
    ],
    ["a stranger's echo request", { hook: "input", source: "8.8.8.8", protocol: "icmp", port: 0, arrivesOn: "eth0" }, "drop"],
    ["a stranger in our own loopback", { hook: "input", source: "8.8.8.8", protocol: "tcp", port: 1, arrivesOn: "lo" }, "accept"],
    ["gossip on the site", { hook: "input", source: "10.1.0.2", protocol: "tcp", port: 7946, arrivesOn: "eth0" }, "drop"],
    ["gossip in the tunnel", { hook: "input", source: "10.99.0.2", protocol: "tcp", port: 7946, arrivesOn: "swarm0" }, "accept"],
    ["a tunnel address outside the tunnel", { hook: "input", source: "10.99.0.2", protocol: "tcp", port: 7946, arrivesOn: "eth0" }, "drop"],
    [
      "WireGuard from one that comes with an unknown address",
      { hook: "input", source: "8.8.8.8", protocol: "udp", port: 51_820, arrivesOn: "eth0" },
      "accept",
    ],
    [
      "a container to the Internet",
      { hook: "forward", source: "172.17.0.2", protocol: "tcp", port: 443, arrivesOn: "docker0", leavesOn: "eth0", bridges: ["docker0"] },
      "accept",
    ],
    [
      "a container to another bridge",
      { hook: "forward", source: "172.17.0.2", protocol: "tcp", port: 80, arrivesOn: "docker0", leavesOn: "br-0a", bridges: ["docker0", "br-0a"] },
      "accept",
    ],
    [
      "what the host routes elsewhere",
      { hook: "forward", source: "8.8.8.8", protocol: "tcp", port: 80, arrivesOn: "eth0", leavesOn: "eth1" },
      "accept",
    ],
    [
      "what a bridged uplink passes on",
      { hook: "forward", source: "8.8.8.8", protocol: "tcp", port: 80, arrivesOn: "br-lan", leavesOn: "br-lan", bridges: ["br-lan"] },
      "accept",
    ],
    [
      "an exposed port without translation",
      { hook: "forward", source: "198.51.100.9", protocol: "tcp", port: 8443, arrivesOn: "eth0", leavesOn: "docker0", bridges: ["docker0"] },
      "drop",
    ],
    [
      "an exposed port by a bridged uplink",
      {
        hook: "forward",
        source: "8.8.8.8",
        protocol: "tcp",
        port: 8443,
        arrivesOn: "br-lan",
        leavesOn: "docker0",
        bridges: ["br-lan", "docker0"],
        translated: true,
      },
      "drop",
    ],
    ["swarm's data port out of the site's interface", { hook: "output", source: "10.1.0.1", protocol: "udp", port: 4789, leavesOn: "eth0" }, "drop"],
    [
      "swarm's control port out of the site's interface",
      { hook: "output", source: "10.1.0.1", protocol: "tcp", port: 2377, leavesOn: "eth0" },
      "drop",
    ],
    ["swarm's data port into the tunnel", { hook: "output", source: "10.1.0.1", protocol: "udp", port: 4789, leavesOn: "swarm0" }, "accept"],
    ["anything else out", { hook: "output", source: "10.1.0.1", protocol: "tcp", port: 443, leavesOn: "eth0" }, "accept"],
  ];
  for (const [what, packet, verdict] of packets) {
    it(`${verdict === "accept" ? "accepts" : "drops"} ${what}`, () => assert.equal(evaluate(text, packet, ["eth0", "br-lan"]), verdict));
  }
});

describe("the smallest ruleset of a host", () => {
  const { rules } = sound({ ssh: ["203.0.113.0/24", "2001:db8::/32"], expose: { https: { port: 443, from: ["world"] } } });

  it("lets SSH in from where it is allowed, and nothing else, for a host on which the whole one does not load", () => {
    const text = smallestRuleset(rules, host("edge-1"), hosts);
    const accepted = text.split("\n").filter((line) => line.includes("comment"));
    assert.deepEqual(
      accepted.map((line) => line.trim()),
      ['ip saddr 203.0.113.0/24 tcp dport 22 accept comment "ssh"', 'ip6 saddr 2001:db8::/32 tcp dport 22 accept comment "ssh"'],
    );
    assert.equal(text.match(/policy drop;/g)?.length, 2, "what is routed to containers is dropped, too");
  });
});

describe("what an overlay routes to a host's containers", () => {
  const call: Packet = {
    hook: "forward",
    source: "10.97.1.2",
    target: "10.97.2.2",
    protocol: "tcp",
    port: 80,
    arrivesOn: "flannel.1",
    leavesOn: "br-0a",
    bridges: ["br-0a"],
  };
  const routed = (...routedIn: readonly RoutedNetwork[]): string => nftRuleset(inTheTunnel, host("control-1"), hosts, { ...tunnel, routedIn });
  const network = "10.97.0.0/17";
  const wrapped = { network, interface: "flannel.1" };
  const cases: readonly (readonly [string, readonly RoutedNetwork[], Packet, "accept" | "drop"])[] = [
    ["comes in by the overlay's interface", [wrapped], call, "accept"],
    ["comes in by any interface where the overlay has none of its own", [{ network }], { ...call, arrivesOn: "eth0" }, "accept"],
    ["comes in by either while hosts go from one to the other", [wrapped, { network: "10.98.0.0/17" }], call, "accept"],
    ["stays out on another interface", [wrapped], { ...call, arrivesOn: "eth0" }, "drop"],
    ["stays out from elsewhere", [wrapped], { ...call, source: "10.1.0.2" }, "drop"],
    ["stays out when it is for other containers", [wrapped], { ...call, target: "172.17.0.2" }, "drop"],
    ["stays out where nothing is routed", [], call, "drop"],
  ];
  for (const [what, ways, packet, verdict] of cases) {
    it(what, () => assert.equal(evaluate(routed(...ways), packet), verdict));
  }
});

describe("what is open", () => {
  it("is told apart by who asks, and by which way", () => {
    const ask = (key: string, address: string, arrivesOn: "site" | "tunnel" = "site"): unknown =>
      openPorts(inTheTunnel, host(key), { address, arrivesOn }, hosts);
    assert.deepEqual(ask("control-1", "203.0.113.200"), { tcp: ["22"], udp: ["51820"] });
    assert.deepEqual(ask("edge-1", "8.8.8.8"), { tcp: ["443"], udp: ["51820"] });
    assert.deepEqual(ask("control-1", "198.51.100.2"), { tcp: ["8443", "9000-9010"], udp: ["51820"] });
    assert.deepEqual(ask("control-1", "10.99.0.2", "tunnel"), { tcp: ["2377", "7946", "9100"], udp: ["4789", "7946", "51820"] });
    assert.deepEqual(ask("edge-1", "10.99.0.4", "tunnel"), { tcp: ["443", "7946"], udp: ["4789", "7946", "51820"] });
  });

  it("for WireGuard is everybody only where a host comes with an address that nobody knows", () => {
    const known = hosts.filter(({ key }) => key !== "lost-1");
    const ask = (address: string, all: readonly FirewallHost[]): readonly string[] =>
      openPorts(inTheTunnel, host("control-1"), { address, arrivesOn: "site" }, all).udp;
    assert.deepEqual(ask("8.8.8.8", hosts), ["51820"]);
    assert.deepEqual(ask("8.8.8.8", known), []);
    assert.deepEqual(ask("198.51.100.77", known), ["51820"]);
    assert.deepEqual(ask("10.1.0.2", known), ["51820"]);
    assert.deepEqual(ask("198.51.100.2", known), [], "a host of the same site comes with its address there");
  });
});

describe("the rules for a cloud", () => {
  it("leave out the tunnel, and keep its port", () => {
    const compiled = cloudRules(inTheTunnel, { addressesKnown: true });
    assert.deepEqual(
      compiled.map(({ name, protocol, fromPort, toPort, appliesTo }) => [name, protocol, fromPort, toPort, appliesTo]),
      [
        ["admin", "tcp", 8443, 8443, "members"],
        ["admin", "tcp", 9000, 9010, "members"],
        ["https", "tcp", 443, 443, "workers"],
        ["metrics", "tcp", 9100, 9100, "members"],
        ["ping", "icmp", undefined, undefined, "members"],
        ["ssh", "tcp", 22, 22, "members"],
        ["wireguard", "udp", 51_820, 51_820, "members"],
        ["path-mtu", "icmp", undefined, undefined, "members"],
      ],
    );
    assert.deepEqual(compiled.find(({ name }) => name === "metrics")?.sources, [{ kind: "hosts", hosts: "managers" }]);
  });

  it("let everybody to WireGuard's port when some host's address is not known", () => {
    const everybody = [
      { kind: "cidr", cidr: "0.0.0.0/0" },
      { kind: "cidr", cidr: "::/0" },
    ];
    const sourcesOf = (addressesKnown: boolean): unknown =>
      cloudRules(inTheTunnel, { addressesKnown }).find(({ name }) => name === "wireguard")?.sources;
    assert.deepEqual(sourcesOf(false), everybody);
    assert.deepEqual(sourcesOf(true), [{ kind: "hosts", hosts: "members" }]);
  });

  it("leave out what comes from the host itself", () => {
    const rules = inTheTunnel.map((rule) => (rule.name === "ssh" ? { ...rule, from: ["127.0.0.1/32", "::1/128"] } : rule));
    const names = (list: readonly FirewallRule[]): string[] => cloudRules(list, { addressesKnown: true }).map(({ name }) => name);
    assert.deepEqual(
      names(rules),
      names(inTheTunnel).filter((name) => name !== "ssh"),
    );
    const mixed = inTheTunnel.map((rule) => (rule.name === "ssh" ? { ...rule, from: ["127.0.0.1/32", "203.0.113.0/24"] } : rule));
    const ssh = cloudRules(mixed, { addressesKnown: true }).find(({ name }) => name === "ssh");
    assert.deepEqual(ssh?.sources, [{ kind: "cidr", cidr: "203.0.113.0/24" }]);
  });

  it("cover the same ports as the list, whatever it is", () => {
    const key = (protocol: string, ports: readonly string[]): string[] => rulePorts(ports).map(({ first, last }) => `${protocol} ${first}-${last}`);
    fc.assert(
      fc.property(anyRules, (rules: readonly FirewallRule[]) => {
        const expected = rules.filter(({ over }) => over === "site").flatMap((one) => key(one.protocol, one.ports));
        const found = cloudRules(rules, { addressesKnown: true }).filter(({ name }) => name !== "path-mtu");
        assert.deepEqual(found.map(({ protocol, fromPort, toPort }) => `${protocol} ${fromPort}-${toPort}`).sort(), expected.sort());
      }),
    );
  });
});
