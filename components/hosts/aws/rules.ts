import type { CloudRule, CloudSource } from "../../firewall/cloud";
import { selects } from "../../firewall/resolve";
import type { HostSelector } from "../../firewall/rule";
import { AnyCidr, isAnyCidr } from "../../addresses/any-cidr";
import type { Member, PlannedMember } from "../host";

/** What one rule of a security group lets in. Plain data. */
export interface IngressRule {
  /** Unique in the site: rule, ports and source. */
  readonly name: string;
  /** The security group that it is in. */
  readonly group: HostSelector;
  /** As EC2 names it; ESP has only a number. */
  readonly protocol: "tcp" | "udp" | "icmp" | "icmpv6" | "50";
  /** First and last port, or ICMP's type and code. @default - the protocol has none */
  readonly range?: { readonly from: number; readonly to: number };
  readonly source: IngressSource;
  readonly description: string;
}

export type IngressSource =
  | { readonly kind: "security group"; readonly of: HostSelector }
  | { readonly kind: "network"; readonly cidr: string }
  /** One host that is in no security group of the site. */
  | { readonly kind: "host"; readonly key: string; readonly by: "address" | "seenAs" };

/** Whom a security group can hold: what this provider made. */
export function isOurs(member: Pick<Member, "site" | "provider">, site: string): boolean {
  return member.site === site && member.provider === "aws";
}

/** Hosts that a rule is for, or that it lets in: each of these is a security group, in a site that has such hosts. */
export function selectorsOf(rules: readonly CloudRule[]): readonly HostSelector[] {
  const sources = rules.flatMap((rule) => rule.sources.flatMap((source) => (source.kind === "hosts" ? [source.hosts] : [])));
  return [...new Set([...rules.map(({ appliesTo }) => appliesTo), ...sources])].sort();
}

/** Those whose security groups a host is in. All hosts must get out, whether anything is let in or not. */
export function selectorsFor(role: Member["role"], group: string, rules: readonly CloudRule[]): readonly HostSelector[] {
  const selectors = new Set<HostSelector>(["members", ...selectorsOf(rules)]);
  return [...selectors].filter((selector) => selects(selector, { role, group }));
}

/** The rules that let everything out, over IPv4 and over IPv6. */
export const waysOut = ["out", "out IPv6"] as const;

/**
 * The rules of all security groups of a site. Within it, groups refer to groups, so that their number does not grow with the hosts;
 * a host of another site is let in by its address.
 */
export function compileIngress(rules: readonly CloudRule[], site: string, members: readonly (Member | PlannedMember)[]): readonly IngressRule[] {
  const ours = members.filter((member) => isOurs(member, site));
  const others = members.filter((member) => !isOurs(member, site));
  const compiled = rules
    .filter(({ appliesTo }) => ours.some((member) => selects(appliesTo, member)))
    .flatMap((rule) => rule.sources.flatMap((source) => sourcesOf(source, site, ours, others).map((one) => ruleFor(rule, one))));
  // EC2 refuses a second rule for the same ports and source, whatever it is described as.
  return [...new Map(compiled.reverse().map((rule) => [sameness(rule), rule])).values()].reverse();
}

function sourcesOf(
  source: CloudSource,
  site: string,
  ours: readonly (Member | PlannedMember)[],
  others: readonly (Member | PlannedMember)[],
): readonly IngressSource[] {
  if (source.kind === "cidr") return [{ kind: "network", cidr: normal(source.cidr) }];
  const groups = ours.some((member) => selects(source.hosts, member)) ? [{ kind: "security group", of: source.hosts } as const] : [];
  const hosts = others
    .filter((member) => selects(source.hosts, member))
    .flatMap((member): IngressSource[] => {
      const address = member.site === site ? member.address : member.seenAs;
      if (address === undefined) return [];
      // One router's address may be that of many hosts.
      if (typeof address === "string") return [{ kind: "network", cidr: `${address}/32` }];
      return [{ kind: "host", key: member.key, by: member.site === site ? "address" : "seenAs" }];
    });
  return [...groups, ...hosts];
}

/** EC2 gives a network back in one form only; another one would show as a change after each refresh. */
function normal(cidr: string): string {
  const parsed = AnyCidr.parse(cidr);
  return isAnyCidr(parsed) ? parsed.toString() : cidr;
}

function ruleFor(rule: CloudRule, source: IngressSource): IngressRule {
  const ipv6 = source.kind === "network" && source.cidr.includes(":");
  const { protocol, range } = protocolOf(rule, ipv6);
  const ports = range === undefined || rule.icmp !== undefined ? [] : [range.from === range.to ? `${range.from}` : `${range.from}-${range.to}`];
  return {
    name: [rule.name, ...ports, sourceName(source)].join(" "),
    group: rule.appliesTo,
    protocol,
    ...(range && { range }),
    source,
    description: descriptionOf(rule),
  };
}

/** ICMP's types and codes: RFC 792 and 1191, RFC 4443. -1 is every code. */
function protocolOf({ protocol, icmp, fromPort, toPort }: CloudRule, ipv6: boolean): Pick<IngressRule, "protocol" | "range"> {
  switch (protocol) {
    case "tcp":
    case "udp":
      return { protocol, range: { from: fromPort ?? 0, to: toPort ?? 65_535 } };
    case "esp":
      return { protocol: "50" };
    case "icmp":
      if (icmp === "path-mtu") return ipv6 ? { protocol: "icmpv6", range: { from: 2, to: 0 } } : { protocol: "icmp", range: { from: 3, to: 4 } };
      return ipv6 ? { protocol: "icmpv6", range: { from: 128, to: -1 } } : { protocol: "icmp", range: { from: 8, to: -1 } };
    default:
      return protocol satisfies never;
  }
}

function sourceName(source: IngressSource): string {
  switch (source.kind) {
    case "security group":
      return source.of;
    case "network":
      return source.cidr.replace(/^0\.0\.0\.0\/0$/, "world").replace(/^::\/0$/, "world IPv6");
    case "host":
      return source.key;
  }
}

function sameness({ group, protocol, range, source }: IngressRule): string {
  return JSON.stringify([group, protocol, range?.from, range?.to, source.kind, sourceName(source)]);
}

/** EC2 takes few characters, and 255 of them. */
function descriptionOf({ name, description }: CloudRule): string {
  return `${name}: ${description}`.replaceAll(/[^A-Za-z0-9 ._\-:/()#,@[\]+=&;{}!$*]/g, " ").slice(0, 255);
}

/** How many rules each group of the site holds, counted as EC2 does: IPv4 and IPv6 apart, a group for both. The largest first. */
export function groupSizes(rules: readonly IngressRule[]): readonly { readonly group: HostSelector; readonly rules: number }[] {
  const counts = new Map<HostSelector, { 4: number; 6: number }>();
  for (const { group, source } of rules) {
    const count = counts.get(group) ?? { 4: 0, 6: 0 };
    counts.set(group, count);
    const families =
      source.kind === "security group" ? ([4, 6] as const) : source.kind === "network" && source.cidr.includes(":") ? ([6] as const) : ([4] as const);
    for (const family of families) count[family] += 1;
  }
  return [...counts].map(([group, count]) => ({ group, rules: Math.max(count[4], count[6]) })).sort((a, b) => b.rules - a.rules);
}
