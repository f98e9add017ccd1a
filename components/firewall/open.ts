import { AnyCidr } from "../addresses/any-cidr";
import { mergePorts, rulePorts, showPorts } from "./ports";
import { resolve, selects } from "./resolve";
import type { FirewallHost, FirewallRule } from "./rule";

/** Ports that a host lets through for somebody, in order: `22`, `30000-30100`. */
export interface OpenPorts {
  readonly tcp: readonly string[];
  readonly udp: readonly string[];
}

/**
 * What may be reached on a host from an address, as the rules have it: exactly what a scan from there must find not filtered,
 * whether or not something answers. Left out: the answer to a DHCP client's own question (68 and 546/udp from a server's port).
 */
export function openPorts(
  rules: readonly FirewallRule[],
  target: FirewallHost,
  source: { readonly address: string; readonly arrivesOn: "site" | "tunnel" },
  all: readonly FirewallHost[],
): OpenPorts {
  const caller = AnyCidr.host(source.address);
  const open = rules.filter((rule) => {
    if (!selects(rule.to, target)) return false;
    const { networks, hosts, tunnel } = resolve(rule, target, all);
    const letIn = source.arrivesOn === "tunnel" ? [...tunnel, ...networks.filter(({ isWorld }) => isWorld)] : [...networks, ...hosts];
    return letIn.some((network) => network.contains(caller));
  });
  const ports = (protocol: "tcp" | "udp"): readonly string[] =>
    mergePorts(open.filter((rule) => rule.protocol === protocol).flatMap((rule) => rulePorts(rule.ports))).map(showPorts);
  return { tcp: ports("tcp"), udp: ports("udp") };
}
