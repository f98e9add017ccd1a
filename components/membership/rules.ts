import type { FirewallRule } from "../firewall/rule";

/** What a swarm itself needs, whatever its overlay. Docker can move neither port but the first, and that is not asked for. */
export function swarmRules(over: "site" | "tunnel"): readonly FirewallRule[] {
  const gossip = { ports: ["7946"], from: ["members"], to: "members", over, answers: "host" } as const;
  return [
    {
      name: "swarm-control",
      protocol: "tcp",
      ports: ["2377"],
      from: ["members"],
      to: "managers",
      over,
      answers: "host",
      reason: "members join and are told what to run; managers agree with each other",
    },
    { ...gossip, name: "swarm-gossip-tcp", protocol: "tcp", reason: "members tell each other in full who is where, now and then" },
    { ...gossip, name: "swarm-gossip-udp", protocol: "udp", reason: "members notice who is gone, and pass on who is where" },
  ];
}
