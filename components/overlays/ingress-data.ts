import { defaultDataPathPort } from "../engine/needs";
import type { FirewallRule } from "../firewall/rule";
import type { UnderlayPlan } from "../underlay/underlay";

/** What the swarm's ingress network needs beside an overlay that is not Docker's own. */
export function ingressData({ over }: UnderlayPlan): FirewallRule {
  return {
    name: "ingress-data",
    protocol: "udp",
    ports: [String(defaultDataPathPort)],
    from: ["members"],
    to: "members",
    over,
    answers: "host",
    reason: "VXLAN of the swarm's own ingress network, by which published ports are reached on every host",
  };
}
