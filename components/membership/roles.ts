import { localOrNothing, waitUntil, type Work } from "./control";
import type { Turning } from "./plan";
import { holds, isAlive, majorityOf, quorumOf, votes, without } from "./quorum";
import type { SwarmApi, SwarmNode } from "./swarm-api";

export async function promote({ member: { key }, api, node }: Turning, { control, io, limits }: Work): Promise<void> {
  io.progress(key, "becomes a manager");
  await control.call((manager) => manager.updateNode(node.id, { role: "manager" }));
  const risen = await waitUntil(io, [key, "it to become a manager"], limits.role, async () => {
    const now = await control.node(node.id);
    return now !== undefined && votes(now) && isAlive(now) && (await localOrNothing(api))?.controlAvailable === true;
  });
  if (!risen) throw new Error(`was made a manager, but is none after ${limits.role / 1000} s. Does 2377/tcp pass between it and the managers?`);
  control.add(node.id, api);
  io.did?.(key, "is a manager now");
}

export async function demote({ member: { key }, api, node }: Turning, work: Work): Promise<void> {
  work.io.progress(key, "becomes a worker");
  await stepDown(node, api, work);
  work.io.did?.(key, "is a worker now");
}

/** Takes a node's vote away, and waits until all have noticed: the others, so that the next change meets a group at rest, and the host itself. */
export async function stepDown(node: SwarmNode, api: SwarmApi | undefined, { control, io, limits }: Work): Promise<void> {
  requireMajorityWithout(node.id, await control.nodes());
  // It may answer as a manager for some seconds more, and wrongly.
  control.drop(node.id);
  await control.call((manager) => manager.updateNode(node.id, { role: "worker" }));
  let seen = "the managers still count its vote";
  const stepped = await waitUntil(io, "the managers to take a vote away", limits.role, async () => {
    // The list comes only from a group that has a leader, so an election is waited for here.
    const now = await control.node(node.id);
    if (now && votes(now)) return false;
    seen = "its engine still says that it is a manager";
    return api === undefined || (await localOrNothing(api))?.controlAvailable === false;
  });
  if (!stepped) throw new Error(`was demoted, but after ${limits.role / 1000} s ${seen}`);
}

/** The walk on paper may be out of date by now: joins may have failed, machines may have died. */
function requireMajorityWithout(nodeId: string, nodes: readonly SwarmNode[]): void {
  const node = nodes.find(({ id }) => id === nodeId);
  if (!node || !votes(node) || !isAlive(node)) return;
  const left = without(quorumOf(nodes), node);
  if (holds(left)) return;
  throw new Error(
    `stays a manager: without it ${left.alive} of ${left.total} managers would be left, and ${majorityOf(Math.max(1, left.total))} are needed. Fix the other hosts and run again`,
  );
}
