import { messageOf, waitUntil, type Work } from "./control";
import { drain } from "./drain";
import type { Leaving } from "./plan";
import { isAlive, votes } from "./quorum";
import { stepDown } from "./roles";
import type { SwarmApi, SwarmNode } from "./swarm-api";
import { leavingLabel } from "./types";

/** Takes one node out: drain, wait for its tasks, demote, leave, strike off. Whatever of it was done already is not done again. */
export async function retire({ key, node: seen, api }: Leaving, work: Work): Promise<void> {
  const { control, io, limits } = work;
  const node = await control.node(seen.id);
  if (!node) return;
  if (isAlive(node)) await drain(key, node, work, { [leavingLabel]: "true" });
  if (votes(node)) await takeVote(key, node, api, work);
  if (api !== undefined) await leave(key, api, work);
  await strikeOff(key, node, work);
  const gone = await waitUntil(io, [key, "the managers to strike it off"], limits.role, async () => (await control.node(node.id)) === undefined);
  if (!gone) throw new Error(`node ${node.id} is still listed ${limits.role / 1000} s after its removal; run again`);
  io.progress(key, `node ${node.id} is taken out`);
  io.did?.(key, "left");
}

/**
 * A node may have the role of a manager and no vote: after a forced new cluster, or when somebody promoted a host that the others do
 * not reach. Docker demotes only who has a vote, and removes everybody else as it does a worker (swarmkit, manager/controlapi/node.go,
 * UpdateNode and RemoveNode). The vote may come or go while we look.
 */
async function strikeOff(key: string, node: SwarmNode, work: Work): Promise<void> {
  const remove = (): Promise<void> => work.control.call((manager) => manager.removeNode(node.id));
  try {
    await remove();
  } catch (error) {
    if (!/must be demoted to worker/.test(messageOf(error))) throw error;
    await takeVote(key, node, undefined, work);
    await remove();
  }
}

async function takeVote(key: string, node: SwarmNode, api: SwarmApi | undefined, work: Work): Promise<void> {
  work.io.progress(key, "is demoted");
  try {
    await stepDown(node, api, work);
  } catch (error) {
    if (!/can't find manager in raft memberlist/.test(messageOf(error))) throw error;
  }
}

/** That a host cannot leave by itself keeps nobody from striking it off. */
export async function leave(key: string, api: SwarmApi, { io }: Pick<Work, "io">): Promise<void> {
  try {
    await api.leave(true);
    io.progress(key, "has left the swarm");
  } catch (error) {
    io.progress(
      key,
      `warning: could not leave by itself (${messageOf(error)}) and is removed from the swarm; if the machine still runs, run "docker swarm leave --force" there`,
    );
  }
}
