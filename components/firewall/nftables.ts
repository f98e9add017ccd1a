import type { AnyCidr } from "../addresses/any-cidr";
import { mergePorts, type PortRange, rulePorts, showPorts } from "./ports";
import { type Resolved, resolve, selects } from "./resolve";
import { everyPort, type FirewallHost, type FirewallRule } from "./rule";

export interface NftOptions {
  /** Interface of the encrypted tunnel. @default - there is no tunnel */
  readonly tunnelInterface?: string;
  /** Where containers of other hosts come in routed. @default - nowhere */
  readonly routedIn?: readonly RoutedNetwork[];
  /** What else comes to containers by their own addresses, each a line of the chain. @default - nothing */
  readonly toRouted?: readonly string[];
}

/** Of containers whose packets other hosts route here. */
export interface RoutedNetwork {
  /** Of all of them, in CIDR form. */
  readonly network: string;
  /** By which they come. @default - any */
  readonly interface?: string;
}

/** The table that holds all of ours; nobody else's is touched. */
export const nftTable = "inet pulumi_swarm";

/**
 * One host's firewall as a file for `nft -f`: replaces our own table in one transaction, leaves Docker's and everybody else's
 * alone. The same rules and hosts give the same text, in whatever order they come. Valid from nftables 1.0.6 on.
 *
 * A drop in any table is final and our accept ends only our own chains, so it stands beside Docker's rules and any other
 * firewall. Which interfaces are the host's own way out, and so no bridge of containers whatever they are called, is known on
 * the host only: `firewall.sh` adds them to the set `uplinks`. So it does with the host's own addresses on which its resolver listens.
 */
export function nftRuleset(rules: readonly FirewallRule[], host: FirewallHost, all: readonly FirewallHost[], options: NftOptions = {}): string {
  const { tunnelInterface, routedIn = [], toRouted = [] } = options;
  const stray = tunnelInterface === undefined ? rules.find(({ over }) => over === "tunnel") : undefined;
  if (stray) throw new Error(`the firewall rule "${stray.name}" is for the tunnel, but there is none`);
  const sorted = [...rules].sort((one, other) => (one.name < other.name ? -1 : 1));
  const here = sorted.filter((rule) => selects(rule.to, host)).map((rule): Opening => ({ rule, from: resolve(rule, host, all) }));
  const toContainers = here.filter(({ rule }) => rule.answers === "container");
  const chains = [
    chain("input", inputChain(here, tunnelInterface, routedIn), "type filter hook input priority filter - 5; policy drop;"),
    chain(
      "from_networks",
      here.flatMap((opening) => networkLines(opening, tunnelInterface, onHost)),
    ),
    chain("from_containers", [...accept(["icmp type echo-request", "icmpv6 type echo-request"]), ...toResolver, "jump from_networks", "drop"]),
    chain("forward", forwardChain(routedIn, toRouted), "type filter hook forward priority filter - 5; policy accept;"),
    chain("to_containers", [...toContainers.flatMap((opening) => lines(opening, tunnelInterface, throughDocker)), "drop"]),
    ...(tunnelInterface === undefined
      ? []
      : [chain("output", outputChain(sorted, here, tunnelInterface, all), "type filter hook output priority filter - 5; policy accept;")]),
  ];
  return [
    `table ${nftTable}`,
    `delete table ${nftTable}`,
    `table ${nftTable} {`,
    ...ownSet("uplinks", "ifname"),
    ...ownSet("resolvers", "ipv4_addr"),
    ...ownSet("resolvers6", "ipv6_addr"),
    ...chains.flat().map((line) => `  ${line}`),
    "}",
    "",
  ].join("\n");
}

/**
 * For a host on which the whole ruleset does not load, such as after an upgrade of its kernel: SSH from where it is allowed, and
 * what no host can do without, in the plainest words. The swarm's own traffic is dropped too: a host that does nothing is noticed.
 */
export function smallestRuleset(rules: readonly FirewallRule[], host: FirewallHost, all: readonly FirewallHost[]): string {
  const ssh = rules.filter((rule) => isSsh(rule) && selects(rule.to, host)).map((rule): Opening => ({ rule, from: resolve(rule, host, all) }));
  const needed = accept(["ct state established,related", 'iifname "lo"', "meta l4proto ipv6-icmp", "udp sport 67 udp dport 68"]);
  const input = [...needed, ...ssh.flatMap((opening) => lines(opening, undefined, onHost))];
  const chains = [
    chain("input", input, "type filter hook input priority filter - 5; policy drop;"),
    chain("forward", accept(["ct state established,related"]), "type filter hook forward priority filter - 5; policy drop;"),
  ];
  return [`table ${nftTable}`, `delete table ${nftTable}`, `table ${nftTable} {`, ...chains.flat().map((line) => `  ${line}`), "}", ""].join("\n");
}

export function isSsh({ name }: Pick<FirewallRule, "name">): boolean {
  return name === "ssh" || name.startsWith("ssh ");
}

/** A rule, and whom it lets in on one host. */
export interface Opening {
  readonly rule: FirewallRule;
  readonly from: Resolved;
}

/** A set that the host itself fills. */
function ownSet(name: string, type: string): readonly string[] {
  return [`  set ${name} {`, `    type ${type}`, "  }"];
}

function chain(name: string, body: readonly string[], hook?: string): readonly string[] {
  return [`chain ${name} {`, ...(hook === undefined ? [] : [hook]), ...body].map((line, index) => (index === 0 ? line : `  ${line}`)).concat("}");
}

function accept(matches: readonly string[]): string[] {
  return matches.map((match) => `${match} accept`);
}

/** What no host can do without, whoever sends it: replies, errors that path MTU discovery needs, neighbours, its own address. */
const always = accept([
  "ct state established,related",
  'iifname "lo"',
  "icmp type { destination-unreachable, time-exceeded, parameter-problem }",
  "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }",
  "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect } ip6 hoplimit 255",
  "icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } ip6 saddr fe80::/10",
  "udp sport 67 udp dport 68",
  "ip6 saddr fe80::/10 udp sport 547 udp dport 546",
]);

/**
 * Docker's bridges may have any name and come and go, and so may bridges that are the host's own way out: containers are
 * behind every bridge that is no uplink.
 */
const fromContainers = 'meta iifkind "bridge" iifname != @uplinks';

/**
 * Where the host's resolver listens on an address of its own, Docker asks it out of the container's namespace (moby,
 * libnetwork/resolver.go: only a resolver on a loopback address is asked out of the host's), and so do containers of the default bridge.
 */
const toResolver = [
  ["ip", "resolvers"],
  ["ip6", "resolvers6"],
].flatMap(([family, name]) =>
  ["udp", "tcp"].map((protocol) => `${family} daddr @${name} ${protocol} dport 53 accept comment "the host's own resolver"`),
);

function inputChain(openings: readonly Opening[], tunnel: string | undefined, routedIn: readonly RoutedNetwork[]): readonly string[] {
  return [
    ...always,
    "ct state invalid drop",
    // Before the rules for hosts: a container can forge a host's address.
    `${fromContainers} goto from_containers`,
    // Other hosts look by it whether their way to containers here is open.
    ...routedIn.map((each) => `${arrivalOf(each)}ip saddr ${each.network} icmp type echo-request accept comment "routed by the overlay"`),
    "jump from_networks",
    ...openings.flatMap((opening) => hostLines(opening, tunnel, onHost)),
  ];
}

function arrivalOf(routedIn: RoutedNetwork): string {
  return routedIn.interface === undefined ? "" : `iifname "${routedIn.interface}" `;
}

/** Containers go out and to each other as Docker has it, and what the host routes elsewhere is not our concern. */
function forwardChain(routedIn: readonly RoutedNetwork[], toRouted: readonly string[]): readonly string[] {
  return [
    "ct state established,related accept",
    `${fromContainers} accept`,
    ...routedIn.map((each) => `${arrivalOf(each)}ip saddr ${each.network} ip daddr ${each.network} accept comment "routed by the overlay"`),
    ...toRouted,
    'meta oifkind "bridge" oifname != @uplinks goto to_containers',
  ];
}

/**
 * What is for the tunnel never leaves by another way: not while the tunnel is down, nor when an address is wrong. Only those outside whom this
 * host calls at the same ports are called there.
 */
function outputChain(rules: readonly FirewallRule[], here: readonly Opening[], tunnel: string, all: readonly FirewallHost[]): readonly string[] {
  const called = here
    .filter(({ rule: { begins, over } }) => begins === "either" && over === "site")
    .flatMap(({ rule, from }) => {
      const networks = from.networks.filter(({ version }) => version === 4).map(showNetwork);
      return networks.length === 0 ? [] : onHost(rule, 4).map((match) => `ip daddr ${set(networks)} ${match} accept comment "${comment(rule.name)}"`);
    });
  const inTunnel = rules.filter(({ over }) => over === "tunnel");
  const elsewhere = `oifname != { "lo", "${tunnel}" }`;
  const byPort = (["tcp", "udp"] as const).flatMap((protocol) => {
    const ports = mergePorts(inTunnel.filter((rule) => rule.protocol === protocol && !isForEveryPort(rule)).flatMap((rule) => rulePorts(rule.ports)));
    return ports.length === 0 ? [] : [`${elsewhere} ${protocol} dport ${set(ports.map(showPorts))} drop`];
  });
  // Where every port is for the tunnel, only the address tells what else a host has to say.
  const addresses = all.flatMap(({ tunnelAddress }) => tunnelAddress ?? []).sort();
  const byAddress = inTunnel.some(isForEveryPort) && addresses.length > 0 ? [`${elsewhere} ip daddr ${set(addresses)} drop`] : [];
  return [...called, ...byPort, ...byAddress];
}

function isForEveryPort({ ports }: FirewallRule): boolean {
  return ports.includes(everyPort);
}

/** How a rule's protocol and ports are matched, for one address family or for both. */
export type Matcher = (rule: FirewallRule, family: 4 | 6) => readonly string[];

/** A port of the host: of a service of its own, or of docker-proxy, which answers where Docker does not translate. */
const onHost: Matcher = (rule, family) => {
  switch (rule.protocol) {
    case "icmp":
      return [family === 4 ? "icmp type echo-request" : "icmpv6 type echo-request"];
    case "esp":
      return ["meta l4proto esp"];
    default:
      return [`${rule.protocol} dport ${set(rulePorts(rule.ports).map(showPorts))}`];
  }
};

/**
 * A published port, host-mode or ingress: by the time of the forward hook Docker has put the container's port in its place, so
 * the port that was called is asked of connection tracking. One line a port: nft 1.0.6 cannot read back a set of them.
 */
const throughDocker: Matcher = (rule) =>
  rulePorts(rule.ports).map((range: PortRange) => `meta l4proto ${rule.protocol} ct status dnat ct original proto-dst ${showPorts(range)}`);

/** Accepts whom an opening is for, by the interfaces on which they come. */
export function lines(opening: Opening, tunnel: string | undefined, matcher: Matcher): readonly string[] {
  return [...networkLines(opening, tunnel, matcher), ...hostLines(opening, tunnel, matcher)];
}

function networkLines({ rule, from }: Opening, tunnel: string | undefined, matcher: Matcher): readonly string[] {
  const [world, networks] = [from.networks.filter(({ isWorld }) => isWorld), from.networks.filter(({ isWorld }) => !isWorld)];
  return [...addressLines("", world, rule, matcher), ...addressLines(besideTunnel(tunnel), networks, rule, matcher)];
}

function hostLines({ rule, from }: Opening, tunnel: string | undefined, matcher: Matcher): readonly string[] {
  return [
    ...addressLines(besideTunnel(tunnel), from.hosts, rule, matcher),
    ...(tunnel === undefined ? [] : addressLines(`iifname "${tunnel}" `, from.tunnel, rule, matcher)),
  ];
}

function besideTunnel(tunnel: string | undefined): string {
  return tunnel === undefined ? "" : `iifname != "${tunnel}" `;
}

function addressLines(arrival: string, networks: readonly AnyCidr[], rule: FirewallRule, matcher: Matcher): readonly string[] {
  return ([4, 6] as const).flatMap((family) => {
    const ours = networks.filter(({ version }) => version === family);
    if (ours.length === 0) return [];
    return matcher(rule, family).map((match) => `${arrival}${source(family, ours)} ${match} accept comment "${comment(rule.name)}"`);
  });
}

function source(family: 4 | 6, networks: readonly AnyCidr[]): string {
  if (networks.some(({ isWorld }) => isWorld)) return family === 4 ? "meta nfproto ipv4" : "meta nfproto ipv6";
  return `${family === 4 ? "ip" : "ip6"} saddr ${set(networks.map(showNetwork))}`;
}

/** A single address has no prefix, as nft itself shows it. */
function showNetwork(network: AnyCidr): string {
  return network.toString().replace(network.version === 4 ? /\/32$/ : /\/128$/, "");
}

/** One of these, as nft writes it. */
export function set(elements: readonly string[]): string {
  return elements.length === 1 ? (elements[0] ?? "") : `{ ${elements.join(", ")} }`;
}

/** nft has no way to write a quote inside a comment, and ends it at 128 bytes. */
export function comment(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9 ._:/-]/g, "?").slice(0, 100);
}
