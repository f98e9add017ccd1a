import type { SwarmNode } from "./swarm-api";
import { hostLabel } from "./types";

/** By their hosts where we know them. A machine that was made anew may be two nodes of one host, and is one name. */
export function namesOf(nodes: readonly Pick<SwarmNode, "labels" | "hostname">[]): string[] {
  return [...new Set(nodes.map(({ labels, hostname }) => labels[hostLabel] ?? hostname))];
}
