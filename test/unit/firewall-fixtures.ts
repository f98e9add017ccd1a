import assert from "node:assert/strict";
import type { FirewallArgs } from "../../components/firewall/args";
import { type FirewallContext, type FirewallPlan, planFirewall } from "../../components/firewall/plan";
import type { FirewallHost, FirewallRule, HostSelector, Source } from "../../components/firewall/rule";

export function rule(
  name: string,
  protocol: "tcp" | "udp" | "esp" | "icmp",
  ports: readonly string[],
  to: HostSelector,
  over: "site" | "tunnel",
  more: Partial<FirewallRule> = {},
): FirewallRule {
  return { name, protocol, ports, from: ["members"] as readonly Source[], to, over, answers: "host", reason: `what ${name} is for`, ...more };
}

export function swarmRules(over: "site" | "tunnel"): readonly FirewallRule[] {
  return [
    rule("swarm-control", "tcp", ["2377"], "managers", over),
    rule("swarm-gossip-tcp", "tcp", ["7946"], "members", over),
    rule("swarm-gossip-udp", "udp", ["7946"], "members", over),
    rule("swarm-data", "udp", ["4789"], "members", over),
    ...(over === "tunnel" ? [rule("wireguard", "udp", ["51820"], "members", "site", { unknownAddress: "open" })] : []),
  ];
}

/** Two sites; on one of them a host behind address translation. */
export const hosts: readonly FirewallHost[] = [
  {
    key: "control-1",
    role: "manager",
    group: "control",
    site: "rack",
    address: "10.1.0.1",
    publicAddress: "198.51.100.1",
    tunnelAddress: "10.99.0.1",
  },
  {
    key: "control-2",
    role: "manager",
    group: "control",
    site: "rack",
    address: "10.1.0.2",
    publicAddress: "198.51.100.2",
    tunnelAddress: "10.99.0.2",
  },
  { key: "edge-1", role: "worker", group: "edge", site: "attic", address: "192.168.1.5", seenAs: "198.51.100.77", tunnelAddress: "10.99.0.3" },
  { key: "lost-1", role: "worker", group: "lost", site: "cellar", address: "192.168.1.5", tunnelAddress: "10.99.0.4" },
];

export const context: FirewallContext = {
  groups: [
    { key: "control", role: "manager" },
    { key: "edge", role: "worker" },
    { key: "lost", role: "worker" },
  ],
  contributed: swarmRules("tunnel"),
};

export interface Reported extends FirewallPlan {
  readonly problems: readonly { readonly path: string; readonly message: string; readonly fix: string }[];
}

export function plan(args: unknown, more: Partial<FirewallContext> = {}): Reported {
  const problems: { path: string; message: string; fix: string }[] = [];
  const planned = planFirewall(args as FirewallArgs, { ...context, ...more }, (path, message, fix) => void problems.push({ path, message, fix }));
  return { ...planned, problems };
}

export function sound(args: FirewallArgs, more: Partial<FirewallContext> = {}): FirewallPlan {
  const { problems, ...planned } = plan(args, more);
  assert.deepEqual(problems, []);
  return planned;
}

export function host(key: string): FirewallHost {
  const found = hosts.find((candidate) => candidate.key === key);
  assert.ok(found, key);
  return found;
}
