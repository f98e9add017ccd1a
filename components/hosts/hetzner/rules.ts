import type { CloudRule, CloudSource } from "../../firewall/cloud";
import { showPorts } from "../../firewall/ports";
import { selects } from "../../firewall/resolve";
import type { HostSelector } from "../../firewall/rule";
import { AnyCidr, isAnyCidr, normalised } from "../../addresses/any-cidr";
import type { Member, PlannedMember, RulesContext } from "../host";
import type { Problem } from "../../report";
import { behaviour } from "./behaviour";

const { rules, sources, effective, description: described } = behaviour["hcloud:index/firewall:Firewall"].quotas;
const { servers } = behaviour["hcloud:index/network:Network"].quotas;
const limits = { rules: rules.most, sources: sources.most, effective: effective.most, description: described.most, servers: servers.most } as const;

/** What one firewall lets in. Plain data. */
export interface HetznerFirewall {
  /** The servers before which it stands. */
  readonly hosts: HostSelector;
  readonly rules: readonly IngressRule[];
}

export interface IngressRule {
  /** ICMP is all of it: Hetzner knows no types. */
  readonly protocol: CloudRule["protocol"];
  /** A port or a range. @default - the protocol has none */
  readonly port?: string;
  readonly sources: readonly IngressSource[];
  readonly description: string;
}

/** A network, or a host of another site by the address with which it comes. */
export type IngressSource = { readonly kind: "network"; readonly cidr: string } | { readonly kind: "host"; readonly key: string };

type AnyMember = Member | PlannedMember;

/** Before which servers a firewall can stand: what this provider made. */
function isOurs(member: Pick<AnyMember, "site" | "provider">, site: string): boolean {
  return member.site === site && member.provider === "hetzner";
}

/**
 * The firewalls of a site. They see what comes from the Internet alone (docs.hetzner.com/cloud/firewalls/faq): hosts of the same
 * site reach each other by the private network, which nothing but the hosts' own firewalls filters, and so are no sources here.
 */
export function compileFirewalls(rules: readonly CloudRule[], site: string, members: readonly AnyMember[]): readonly HetznerFirewall[] {
  const ours = members.filter((member) => isOurs(member, site));
  const far = members.filter((member) => member.site !== site);
  const selectors = [...new Set(rules.map(({ appliesTo }) => appliesTo))].sort();
  return selectors
    .filter((hosts) => ours.some((member) => selects(hosts, member)))
    .map((hosts) => ({
      hosts,
      rules: rulesOf(
        rules.filter(({ appliesTo }) => appliesTo === hosts),
        far,
      ),
    }))
    .filter((firewall) => firewall.rules.length > 0);
}

/** Rules that are one entry: Hetzner tells ICMP from ICMP by nothing but its source. */
type Alike = readonly [CloudRule, ...CloudRule[]];

function rulesOf(rules: readonly CloudRule[], far: readonly AnyMember[]): readonly IngressRule[] {
  const others = rules.filter(({ protocol }) => protocol !== "icmp").map((rule): Alike => [rule]);
  const [first, ...more] = rules.filter(({ protocol }) => protocol === "icmp");
  return [...others, ...(first === undefined ? [] : [[first, ...more] satisfies Alike])].flatMap((alike: Alike) => {
    const sources = distinct(alike.flatMap((rule) => rule.sources.flatMap((source) => sourcesOf(source, far))));
    return pieces(sources).map((piece) => entry(alike, piece));
  });
}

function sourcesOf(source: CloudSource, far: readonly AnyMember[]): readonly IngressSource[] {
  if (source.kind === "cidr") return [{ kind: "network", cidr: source.cidr }];
  return far
    .filter((member) => selects(source.hosts, member))
    .flatMap(({ key, seenAs }): IngressSource[] => {
      if (seenAs === undefined) return [];
      return typeof seenAs === "string" ? [{ kind: "network", cidr: AnyCidr.host(seenAs).toString() }] : [{ kind: "host", key }];
    });
}

/** Each once, in Hetzner's form; nothing that a wider network holds, and no host where everybody may come. */
function distinct(sources: readonly IngressSource[]): readonly IngressSource[] {
  const parsed = sources.flatMap((source) => (source.kind === "network" ? [AnyCidr.parse(source.cidr)] : [])).filter(isAnyCidr);
  const networks = normalised(parsed);
  const world = networks.some(({ version, isWorld }) => version === 4 && isWorld);
  const hosts = new Set(world ? [] : sources.flatMap((source) => (source.kind === "host" ? [source.key] : [])));
  return [
    ...networks.map((network): IngressSource => ({ kind: "network", cidr: network.toString() })),
    ...[...hosts].map((key): IngressSource => ({ kind: "host", key })),
  ];
}

function pieces(sources: readonly IngressSource[]): readonly (readonly IngressSource[])[] {
  const count = Math.ceil(sources.length / limits.sources);
  return Array.from({ length: count }, (_, index) => sources.slice(index * limits.sources, (index + 1) * limits.sources));
}

function entry(rules: Alike, sources: readonly IngressSource[]): IngressRule {
  const [{ protocol, fromPort, toPort }] = rules;
  const description = rules
    .map((rule) => `${rule.name}: ${rule.description}`)
    .join("; ")
    .slice(0, limits.description);
  const port = protocol === "tcp" || protocol === "udp" ? showPorts({ first: fromPort ?? 1, last: toPort ?? 65_535 }) : undefined;
  return { protocol, ...(port !== undefined && { port }), sources, description };
}

/** Hetzner refuses what is too much when the rest is made: it is better known before. */
export function checkRules(role: Member["role"], site: string, { group, rules, members }: RulesContext): readonly Problem[] {
  const firewalls = compileFirewalls(rules, site, members).filter(({ hosts }) => selects(hosts, { role, group }));
  return [...firewalls.flatMap((firewall) => tooMuch(firewall, site)), ...tooMany(site, members)];
}

function tooMuch({ hosts, rules }: HetznerFirewall, site: string): Problem[] {
  const what = `the firewall of ${hosts} in site "${site}"`;
  const effective = rules.reduce((sum, { sources }) => sum + sources.length, 0);
  const problems: Problem[] = [];
  if (rules.length > limits.rules) {
    const message = `${what} would have ${rules.length} rules, and Hetzner takes ${limits.rules}`;
    problems.push({ path: "firewall", message, fix: 'allow fewer ports in firewall, or ranges of them such as "8000-8010"' });
  }
  if (effective > limits.effective) {
    const message = `${what} would name ${effective} sources in all its rules, and Hetzner takes ${limits.effective}`;
    problems.push({ path: "firewall", message, fix: "name fewer sources in firewall, or wider networks" });
  }
  return problems;
}

function tooMany(site: string, members: readonly AnyMember[]): Problem[] {
  const servers = members.filter((member) => isOurs(member, site)).length;
  if (servers <= limits.servers) return [];
  const message = `the network of site "${site}" would have ${servers} servers, and Hetzner takes ${limits.servers}`;
  return [{ path: "network", message, fix: "give some of its groups a site and a network of their own" }];
}
