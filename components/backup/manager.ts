import { majorityOf } from "../membership/quorum";
import type { LocalSwarmState, SwarmNode } from "../membership/swarm-api";

/** A host that was looked at. */
export interface Candidate {
  readonly key: string;
  readonly local: LocalSwarmState;
}

/** The manager whose engine is to be stopped, or why there is none. */
export type Choice =
  { readonly kind: "chosen"; readonly key: string; readonly warning?: string } | { readonly kind: "refused"; readonly reason: string };

/**
 * A manager that is not the leader, so that nobody has to be elected, and without which the others keep their majority. Pure.
 *
 * @param asked Whether the quorum may be lost for some seconds.
 */
export function managerToStop(hosts: readonly Candidate[], nodes: readonly SwarmNode[], asked: boolean): Choice {
  const voters = nodes.filter(({ reachability }) => reachability !== undefined);
  const alive = voters.filter(({ reachability, state }) => reachability === "reachable" && state === "ready");
  const reached = hosts.flatMap(({ key, local }) => {
    const node = alive.find(({ id }) => id === local.nodeId);
    return node ? [{ key, node }] : [];
  });
  // A drained manager has no containers that would stop with its engine.
  const best = [...reached].sort((one, other) => Number(one.node.leader) - Number(other.node.leader) || drained(other.node) - drained(one.node))[0];
  if (!best) return { kind: "refused", reason: "no manager of the swarm was reached that takes part in it. Fix: make one reachable, and run again" };
  const holds = alive.length - 1 >= majorityOf(voters.length);
  if (!holds && !asked) {
    const why =
      voters.length < 3
        ? `with ${voters.length === 1 ? "one manager" : `${voters.length} managers`} the swarm has no leader while the engine of one is stopped: running containers go on, and nothing can be changed for some seconds`
        : `only ${alive.length} of ${voters.length} managers are there, and without another one they would lose their majority`;
    return { kind: "refused", reason: `${why}. Fix: ${voters.length < 3 ? "" : "bring the others back, or "}allow it by --without-quorum` };
  }
  if (best.node.leader && holds)
    return { kind: "chosen", key: best.key, warning: "it is the leader, since no other manager was reached: the others elect another one" };
  return { kind: "chosen", key: best.key };
}

function drained({ availability }: SwarmNode): number {
  return Number(availability === "drain");
}
