import { parsePorts, portsOverlap, showPorts } from "../firewall/ports";
import type { FirewallRule } from "../firewall/rule";
import type { Report } from "../report";

/** Two programs of one host cannot have the same port. @param tunnel What the underlay asks for. @param others What the swarm and its overlay do. */
export function checkTunnelPort(tunnel: readonly FirewallRule[], others: readonly FirewallRule[], report: Report): void {
  for (const own of tunnel) {
    const ports = own.ports.flatMap((port) => parsePorts(port) ?? []);
    const taken = others.filter(({ protocol }) => protocol === own.protocol).find((rule) => rule.ports.some((text) => meets(text, ports)));
    const [first] = ports;
    if (taken === undefined || first === undefined) continue;
    report(
      "underlay.port",
      `${showPorts(first)}/${own.protocol} belongs to the rule ${taken.name} (${taken.reason})`,
      "choose another port, or leave it out for 51820",
    );
  }
}

function meets(text: string, ports: readonly { readonly first: number; readonly last: number }[]): boolean {
  const range = parsePorts(text);
  return range !== undefined && ports.some((port) => portsOverlap(port, range));
}
