import type { SwarmNode } from "./swarm-api";

/**
 * A node that votes. Not the same as one with the role of a manager: a change of role takes seconds to become a change
 * of the Raft group, and it is the latter that a quorum is counted in.
 */
export function votes(node: SwarmNode): boolean {
  return node.reachability !== undefined;
}

/** For a voter, whether its vote can be had; for others, whether the managers still count on it. */
export function isAlive(node: SwarmNode): boolean {
  return votes(node) ? node.reachability === "reachable" && node.state !== "down" : node.state !== "down";
}

export interface Quorum {
  readonly total: number;
  readonly alive: number;
}

export function quorumOf(nodes: readonly SwarmNode[]): Quorum {
  const voters = nodes.filter(votes);
  return { total: voters.length, alive: voters.filter(isAlive).length };
}

export function majorityOf(total: number): number {
  return Math.floor(total / 2) + 1;
}

export function holds({ total, alive }: Quorum): boolean {
  return total > 0 && alive >= majorityOf(total);
}

export function without({ total, alive }: Quorum, node: SwarmNode): Quorum {
  return { total: total - 1, alive: isAlive(node) ? alive - 1 : alive };
}
