import assert from "node:assert/strict";
import * as fc from "fast-check";
import { type CloudRule, type CloudSource, cloudRules } from "../../components/firewall/cloud";
import { selects } from "../../components/firewall/resolve";
import type { HostSelector } from "../../components/firewall/rule";
import { assigned, type Member, type RulesContext } from "../../components/hosts/host";
import type { Problem } from "../../components/report";
import { checkRules, compileFirewalls } from "../../components/hosts/hetzner/rules";
import { AnyCidr, isAnyCidr } from "../../components/addresses/any-cidr";

describe("Hetzner's firewalls", () => {
  const site = "hetzner one";
  const member = (key: string, where: string, more: Partial<Member> = {}): Member => ({
    key,
    group: key.replace(/-\d+$/, ""),
    role: key.startsWith("control") ? "manager" : "worker",
    site: where,
    provider: where.startsWith("hetzner") ? "hetzner" : "existing",
    address: "10.72.1.1",
    ...more,
  });
  const here = [member("control-1", site), member("edge-1", site, { seenAs: "198.51.100.7" })];
  const tcp = { protocol: "tcp", fromPort: 443, toPort: 443, description: "what it's for" } as const;
  const cidr = (text: string): CloudSource => ({ kind: "cidr", cidr: text });
  const hosts = (selector: HostSelector): CloudSource => ({ kind: "hosts", hosts: selector });
  const network = (text: string): object => ({ kind: "network", cidr: text });

  it("hold nothing for hosts of the same site, whoever made them: they do not see the private network", () => {
    const rules: CloudRule[] = [{ ...tcp, name: "one", sources: [hosts("members")], appliesTo: "managers" }];
    assert.deepEqual(compileFirewalls(rules, site, [...here, member("rack-1", site, { provider: "existing", seenAs: "192.0.2.1" })]), []);
  });

  it("name hosts of other sites by the address with which they come, and not those whose address nobody knows", () => {
    const rules: CloudRule[] = [{ ...tcp, name: "one", sources: [hosts("workers")], appliesTo: "managers" }];
    const far = [member("rack-1", "attic", { seenAs: "192.0.2.1" }), member("rack-2", "attic"), member("rack-3", "cellar", { seenAs: later() })];
    assert.deepEqual(compileFirewalls(rules, site, [...here, ...far]), [
      {
        hosts: "managers",
        rules: [
          { protocol: "tcp", port: "443", description: "one: what it's for", sources: [network("192.0.2.1/32"), { kind: "host", key: "rack-3" }] },
        ],
      },
    ]);
  });

  it("are none for hosts that are not in the site", () => {
    const rules: CloudRule[] = [{ ...tcp, name: "one", sources: [cidr("0.0.0.0/0")], appliesTo: "group far" }];
    assert.deepEqual(compileFirewalls(rules, site, [...here, member("far-1", "attic")]), []);
  });

  it("take all of ICMP as one, both families in one rule, and ESP without ports", () => {
    const rules = cloudRules(
      [
        { name: "ping", protocol: "icmp", ports: [], from: ["203.0.113.0/24"], to: "members", over: "site", answers: "host", reason: "to look" },
        { name: "ipsec", protocol: "esp", ports: [], from: ["198.18.0.0/15"], to: "members", over: "site", answers: "host", reason: "to hide" },
        { name: "web", protocol: "tcp", ports: ["80-85"], from: ["world"], to: "members", over: "site", answers: "container", reason: "to serve" },
      ],
      { addressesKnown: true },
    );
    const [{ rules: found } = assert.fail("no firewall")] = compileFirewalls(rules, site, here);
    assert.deepEqual(
      found.map(({ protocol, port, sources }) => [protocol, port, sources]),
      [
        ["esp", undefined, [network("198.18.0.0/15")]],
        ["tcp", "80-85", [network("0.0.0.0/0"), network("::/0")]],
        ["icmp", undefined, [network("0.0.0.0/0"), network("::/0")]],
      ],
    );
  });

  it("have at most a hundred sources in a rule, so that a longer list is more rules", () => {
    const sources = Array.from({ length: 250 }, (_, index) => cidr(`198.18.${index}.0/24`));
    const [{ rules } = assert.fail("no firewall")] = compileFirewalls([{ ...tcp, name: "one", sources, appliesTo: "members" }], site, here);
    assert.deepEqual(
      rules.map((rule) => rule.sources.length),
      [100, 100, 50],
    );
  });

  it("are described in 255 characters", () => {
    const rule: CloudRule = { ...tcp, name: "one", description: "long ".repeat(80), sources: [cidr("0.0.0.0/0")], appliesTo: "members" };
    const [{ rules: [{ description } = assert.fail("no rule")] } = assert.fail("no firewall")] = compileFirewalls([rule], site, here);
    assert.equal(description.length, 255);
  });

  it("let in, read back, exactly who may come from the Internet by the list of rules", () => {
    const selectors: readonly HostSelector[] = ["members", "managers", "workers", "group edge", "group far"];
    const far = [
      member("far-1", "attic", { seenAs: "192.0.2.1" }),
      member("far-2", "cellar"),
      member("control-9", "cellar", { seenAs: "198.18.0.9" }),
    ];
    const callers = ["192.0.2.1", "198.18.0.9", "198.18.7.7", "203.0.113.1", "2001:db8::1", "8.8.8.8", "198.51.100.7"];
    const source = fc.oneof(
      fc.constantFrom(...selectors).map(hosts),
      fc.constantFrom("0.0.0.0/0", "::/0", "198.18.0.0/15", "198.18.0.0/24", "203.0.113.1/32", "2001:db8::/32").map(cidr),
    );
    const rule = fc.record({
      protocol: fc.constantFrom("tcp" as const, "udp" as const),
      fromPort: fc.integer({ min: 1, max: 9 }),
      more: fc.nat(3),
      sources: fc.array(source, { maxLength: 4 }),
      appliesTo: fc.constantFrom(...selectors),
    });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), (drawn) => {
        const rules = drawn.map(({ more, ...one }, index): CloudRule => ({
          ...one,
          name: `rule-${index}`,
          toPort: one.fromPort + more,
          description: "",
        }));
        const firewalls = compileFirewalls(rules, site, [...here, ...far]);
        for (const target of here)
          for (const caller of callers) assert.deepEqual(openByFirewalls(firewalls, target, caller), openByRules(rules, target, caller, far));
      }),
      { numRuns: 50 },
    );
  });

  it("are refused at preview where a rule, a source or a server is too much", () => {
    const plannedMember = (key: string): RulesContext["members"][number] => ({ ...member(key, site), address: assigned, seenAs: assigned });
    const planned = ["control-1", "edge-1"].map(plannedMember);
    const rules = (ports: number, sources: number): CloudRule[] =>
      Array.from({ length: ports }, (_, port) => ({
        ...tcp,
        name: `rule-${port}`,
        fromPort: port + 1,
        toPort: port + 1,
        sources: Array.from({ length: sources }, (_each, index) => cidr(`198.18.${index}.0/24`)),
        appliesTo: "managers",
      }));
    const problems = (list: readonly CloudRule[], members: RulesContext["members"] = planned, role: Member["role"] = "manager"): readonly Problem[] =>
      checkRules(role, site, { group: "control", rules: list, members });
    assert.deepEqual([problems(rules(50, 10)), problems(rules(51, 10), planned, "worker")], [[], []]);
    assert.deepEqual(problems(rules(51, 1)), [
      {
        path: "firewall",
        message: 'the firewall of managers in site "hetzner one" would have 51 rules, and Hetzner takes 50',
        fix: 'allow fewer ports in firewall, or ranges of them such as "8000-8010"',
      },
    ]);
    assert.deepEqual(problems(rules(3, 167)), [
      {
        path: "firewall",
        message: 'the firewall of managers in site "hetzner one" would name 501 sources in all its rules, and Hetzner takes 500',
        fix: "name fewer sources in firewall, or wider networks",
      },
    ]);
    const many = Array.from({ length: 98 }, (_, index) => plannedMember(`more-${index}`));
    assert.deepEqual(problems([], [...planned, ...many]), []);
  });
});

/** An address that is only known to come. */
function later(): Member["seenAs"] & object {
  return Promise.resolve("192.0.2.9");
}

/** Ports that firewalls let a caller reach on a host. */
function openByFirewalls(firewalls: ReturnType<typeof compileFirewalls>, target: Member, caller: string): readonly string[] {
  const rules = firewalls.filter(({ hosts }) => selects(hosts, target)).flatMap((one) => one.rules);
  const open = rules.filter(({ sources }) => sources.some((source) => source.kind === "network" && holds(source.cidr, caller)));
  return portsOf(open.map(({ protocol, port = "" }) => [protocol, Number(port.split("-")[0]), Number(port.split("-").at(-1))]));
}

/** The same straight from the list, one source at a time. */
function openByRules(rules: readonly CloudRule[], target: Member, caller: string, far: readonly Member[]): readonly string[] {
  const comes = (source: CloudSource): boolean =>
    source.kind === "cidr" ? holds(source.cidr, caller) : far.some((one) => one.seenAs === caller && selects(source.hosts, one));
  const open = rules.filter(({ appliesTo, sources }) => selects(appliesTo, target) && sources.some(comes));
  return portsOf(open.map(({ protocol, fromPort = 0, toPort = 0 }) => [protocol, fromPort, toPort]));
}

function portsOf(ranges: readonly (readonly [protocol: string, first: number, last: number])[]): readonly string[] {
  const each = ranges.flatMap(([protocol, first, last]) => Array.from({ length: last - first + 1 }, (_, index) => `${protocol} ${first + index}`));
  return [...new Set(each)].sort();
}

function holds(cidr: string, address: string): boolean {
  const network = AnyCidr.parse(cidr);
  return isAnyCidr(network) && network.contains(AnyCidr.host(address));
}
