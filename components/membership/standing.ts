import { votes } from "./quorum";
import type { LocalSwarmState, SwarmNode } from "./swarm-api";
import type { MembershipMemory } from "./types";

/** What a host is to our swarm. */
export type Standing =
  | { readonly kind: "member"; readonly node: SwarmNode }
  /** In no swarm, or with remains of ours on it that it has to leave before it can join. */
  | { readonly kind: "outside"; readonly remains: boolean }
  /** In a swarm that is not ours to touch. */
  | { readonly kind: "foreign" };

/** `patient`: a member that is just starting still counts as one. */
export function standingOf(
  { key, local }: { readonly key: string; readonly local: LocalSwarmState },
  nodes: readonly SwarmNode[],
  memory: MembershipMemory | undefined,
  abandoned: boolean,
  patient: boolean,
): Standing {
  if (local.state === "inactive") return { kind: "outside", remains: false };
  const node = nodes.find(({ id }) => id === local.nodeId);
  if (node) return patient || !isLost(local, node) ? { kind: "member", node } : { kind: "outside", remains: true };
  // A join that found nobody goes on in the background for ever, and has no node yet.
  if (local.nodeId === "") return { kind: "outside", remains: true };
  // Struck off while it lived or was away; it does not know.
  const ids = new Set(nodes.map(({ id }) => id));
  const remembered = abandoned ? Object.values(memory?.nodes ?? {}) : [memory?.nodes[key]];
  const ours =
    remembered.includes(local.nodeId) || local.remoteManagers.some(({ nodeId }) => ids.has(nodeId) || (abandoned && remembered.includes(nodeId)));
  return ours ? { kind: "outside", remains: true } : { kind: "foreign" };
}

/** A node that will not come back by itself: it waits for managers it no longer has, or holds on to a group that went on without it. */
function isLost(local: LocalSwarmState, node: SwarmNode): boolean {
  const waits = local.state === "pending" || local.state === "error";
  const leaderless = local.controlAvailable && local.error !== "";
  return waits || (leaderless && (node.state === "down" || node.role === "worker"));
}

/** Promoted, and not in the group of the managers. */
export function isStuckManager(node: SwarmNode): boolean {
  return node.role === "manager" && !votes(node);
}

/** How the host's and the managers' view of it differ, or undefined when all is well. */
export function trouble(local: LocalSwarmState, node: SwarmNode): string | undefined {
  if (local.state !== "active") return `its engine is "${local.state}" in the swarm${local.error ? `: ${local.error}` : ""}`;
  if (node.state !== "ready")
    return `its engine is a member, but the managers see it as ${node.state}: do 2377/tcp and 7946/tcp+udp pass between the hosts?`;
  if (node.role === "manager" && !(votes(node) && local.controlAvailable)) return "it was made a manager, but is none";
  if (node.role === "worker" && (votes(node) || local.controlAvailable)) return "it was made a worker, but still acts as a manager";
  if (local.controlAvailable && local.error !== "") return `it does not follow the other managers: ${local.error}`;
  return undefined;
}
