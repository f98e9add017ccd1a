import { Cidr, isCidr } from "../addresses/cidr";
import { comment, lines, type Matcher, set } from "../firewall/nftables";
import { rulePorts, showPorts } from "../firewall/ports";
import { resolve } from "../firewall/resolve";
import type { FirewallHost, FirewallRule } from "../firewall/rule";
import { isOutside, type NetworkPolicy } from "./policy";

/** The policies, and where in hosts' subnets the networks lie that they are about. */
export interface PoliciesOnHosts {
  /** All of the cluster. */
  readonly policies: readonly NetworkPolicy[];
  /** Prefix length of each host's subnet. */
  readonly hostPrefix: number;
}

/** What is routed, as hosts are told. */
export interface RoutedSpace {
  /** Of all hosts' subnets, in CIDR form. */
  readonly space: string;
  /** Each network's part of a host's subnet, relative to it: `0.0.0.64/26`. */
  readonly slices: readonly { readonly name: string; readonly slice: string }[];
  /** @default - none: networks are apart */
  readonly policy?: PoliciesOnHosts;
}

/** Lines of nftables that accept. What no line accepts is dropped after them. */
export interface PolicyLines {
  /** Of what has a container's address. */
  readonly between: readonly string[];
  /** Of what comes from elsewhere: hosts, and others outside. */
  readonly outside: readonly string[];
}

/**
 * What the policies let through on one host. Lines of `between` are for a place where a container's address is certain to be its own, and lines of
 * `outside` for one to which no such address comes. The number of lines follows from the policies, not from the number of hosts.
 *
 * @param all every host that may connect
 * @param tunnel interface of the encrypted tunnel, by which hosts come where there is one
 */
export function policyLines(routed: RoutedSpace, host: FirewallHost, all: readonly FirewallHost[], tunnel?: string): PolicyLines {
  const { policies = [] } = routed.policy ?? {};
  const sorted = [...policies].sort((one, other) => (one.name < other.name ? -1 : 1));
  return {
    between: sorted.flatMap((policy) => betweenLines(policy, routed)),
    outside: sorted.flatMap((policy) => linesFromOutside(policy, routed, host, all, tunnel)),
  };
}

/** Those of `outside` alone, for the host's own firewall, which lets in nobody else. None where nothing is routed. */
export function outsideLines(routed: RoutedSpace | undefined, host: FirewallHost, all: readonly FirewallHost[], tunnel?: string): readonly string[] {
  return routed?.policy ? policyLines(routed, host, all, tunnel).outside : [];
}

function betweenLines(policy: NetworkPolicy, routed: RoutedSpace): string[] {
  const sources = [...policy.from].filter((source) => !isOutside(source)).sort();
  return sources.flatMap((source) =>
    targets(policy).map(
      (target) => `${inNetwork("saddr", source, routed)} ${inNetwork("daddr", target, routed)} ${ports(policy)} accept comment "${mark(policy)}"`,
    ),
  );
}

function linesFromOutside(policy: NetworkPolicy, routed: RoutedSpace, host: FirewallHost, all: readonly FirewallHost[], tunnel?: string): string[] {
  const { protocol, ports: open } = policy;
  const from = policy.from.filter(isOutside);
  const rule: FirewallRule = { name: mark(policy), protocol, ports: open, from, to: "members", over: "site", answers: "container", reason: "" };
  const resolved = resolve(rule, host, all);
  // Beside a tunnel, hosts come by it alone.
  const opening = { rule, from: tunnel === undefined ? resolved : { ...resolved, hosts: [] } };
  const match: Matcher = (_, family) =>
    family === 4 ? targets(policy).map((target) => `${inNetwork("daddr", target, routed)} ${ports(policy)}`) : [];
  return [...lines(opening, tunnel, match)];
}

function targets({ to }: NetworkPolicy): readonly string[] {
  return [...to].sort();
}

function ports({ protocol, ports: given }: NetworkPolicy): string {
  return `${protocol} dport ${set(rulePorts(given).map(showPorts))}`;
}

function mark({ name }: NetworkPolicy): string {
  return comment(`policy ${name}`);
}

/** A network has the same place in each host's subnet. */
function inNetwork(side: "saddr" | "daddr", network: string, { space, slices, policy }: RoutedSpace): string {
  const found = slices.find(({ name }) => name === network);
  const slice = Cidr.parse(found?.slice ?? "");
  if (!isCidr(slice) || !policy) throw new Error(`the network ${network} of a policy has no place in hosts' subnets`);
  const mask = (1n << BigInt(32 - policy.hostPrefix)) - slice.size;
  const within = `ip ${side} ${space}`;
  return mask === 0n ? within : `${within} ip ${side} & ${Cidr.at(mask, 32).address(0)} == ${slice.address(0)}`;
}
