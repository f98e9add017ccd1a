import { AnyCidr, isAnyCidr } from "../addresses/any-cidr";
import { rulePorts } from "./ports";
import { isHostSelector } from "./resolve";
import type { FirewallRule, HostSelector, Source } from "./rule";

/** One ingress rule in the form that clouds use. All other traffic is dropped. */
export interface CloudRule {
  /** Name of the original rule. */
  readonly name: string;
  /** `icmp` is ICMP and ICMPv6. */
  readonly protocol: "tcp" | "udp" | "esp" | "icmp";
  /** First and last port. @default - none: the protocol has no ports */
  readonly fromPort?: number;
  /** Last port. @default - none: the protocol has no ports */
  readonly toPort?: number;
  /** Which ICMP and ICMPv6: echo requests, or the errors that path MTU discovery needs. @default - not ICMP */
  readonly icmp?: "echo" | "path-mtu";
  /** Who may connect. */
  readonly sources: readonly CloudSource[];
  /** Hosts that the rule applies to. */
  readonly appliesTo: HostSelector;
  /** Why, for the person who reads the cloud's console. */
  readonly description: string;
}

/**
 * Hosts are the cloud's own group of them on the same site, and their public addresses on other sites. A CIDR is IPv4 or IPv6.
 */
export type CloudSource =
  | {
      /** Hosts of the cluster. */
      readonly kind: "hosts";
      /** Which ones. */
      readonly hosts: HostSelector;
    }
  | {
      /** A network. */
      readonly kind: "cidr";
      /** In CIDR form. */
      readonly cidr: string;
    };

const world: readonly CloudSource[] = [
  { kind: "cidr", cidr: "0.0.0.0/0" },
  { kind: "cidr", cidr: "::/0" },
];

/** Clouds that do not take the errors for part of a known connection would break large packets without a word. */
const pathMtu: CloudRule = {
  name: "path-mtu",
  protocol: "icmp",
  icmp: "path-mtu",
  sources: world,
  appliesTo: "members",
  description: "path MTU discovery: packets that are too big are reported to their sender",
};

/**
 * The same list for a cloud's firewall. What goes through the tunnel is not seen there: only the tunnel's own port is left.
 * Where some hosts come with an address that nobody knows, a rule that allows it is for everybody; `addressesKnown` says
 * that none does.
 */
export function cloudRules(rules: readonly FirewallRule[], options: { readonly addressesKnown: boolean }): readonly CloudRule[] {
  const outside = rules
    .filter(({ over }) => over === "site")
    .map((rule) => ({ ...rule, from: rule.from.filter(isFromOutside) }))
    .filter(({ from }) => from.length > 0)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  return [...outside.flatMap((rule) => cloudRule(rule, options.addressesKnown)), pathMtu];
}

/** What comes from the host itself never passes the cloud's firewall. */
function isFromOutside(source: Source): boolean {
  const network = AnyCidr.parse(source);
  return !isAnyCidr(network) || !network.isLoopback;
}

function cloudRule(rule: FirewallRule, addressesKnown: boolean): readonly CloudRule[] {
  const open = rule.from.includes("world") || (rule.unknownAddress === "open" && !addressesKnown && rule.from.some(isHostSelector));
  const sources = open
    ? world
    : rule.from.map((source): CloudSource => (isHostSelector(source) ? { kind: "hosts", hosts: source } : { kind: "cidr", cidr: source }));
  const common = { name: rule.name, protocol: rule.protocol, sources, appliesTo: rule.to, description: rule.reason };
  if (rule.protocol === "icmp") return [{ ...common, icmp: "echo" }];
  if (rule.protocol === "esp") return [common];
  return rulePorts(rule.ports).map(({ first, last }) => ({ ...common, fromPort: first, toPort: last }));
}
