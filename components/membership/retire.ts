import { messageOf, waitUntil, type Work } from "./control";
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
  if (isAlive(node)) await drain(key, node, work);
  if (votes(node) || node.role === "manager") {
    io.progress(key, "is demoted");
    await stepDown(node, api, work);
  }
  const left = api !== undefined && (await leave(key, api, work));
  const isDown = async (): Promise<boolean> => ((await control.node(node.id))?.state ?? "down") === "down";
  const down = left ? await waitUntil(io, limits.down, isDown) : await isDown();
  await control.call((manager) => manager.removeNode(node.id, !down));
  const gone = await waitUntil(io, limits.role, async () => (await control.node(node.id)) === undefined);
  if (!gone) throw new Error(`node ${node.id} is still listed ${limits.role / 1000} s after its removal; run again`);
  io.progress(key, `node ${node.id} is taken out`);
}

async function drain(key: string, node: SwarmNode, { control, io, limits }: Work): Promise<void> {
  if (node.availability !== "drain") {
    io.progress(key, "is drained");
    await control.call((manager) => manager.updateNode(node.id, { availability: "drain", labels: { ...node.labels, [leavingLabel]: "true" } }));
  }
  let tasks = -1;
  const empty = await waitUntil(io, limits.drain, async () => {
    const now = await control.node(node.id);
    // The tasks of a dead machine are listed as running until its place is cleared.
    if (!now || !isAlive(now)) return true;
    const before = tasks;
    tasks = await control.call((manager) => manager.runningTasks(node.id));
    if (tasks !== before && tasks > 0) io.progress(key, `drained, waiting for ${tasks} ${tasks === 1 ? "task" : "tasks"} to move`);
    return tasks === 0;
  });
  if (!empty)
    io.progress(key, `warning: ${tasks} ${tasks === 1 ? "task is" : "tasks are"} still there after ${limits.drain / 1000} s; going on without them`);
}

/** That a host cannot leave by itself keeps nobody from striking it off. */
export async function leave(key: string, api: SwarmApi, { io }: Pick<Work, "io">): Promise<boolean> {
  try {
    await api.leave(true);
    io.progress(key, "has left the swarm");
    return true;
  } catch (error) {
    io.progress(
      key,
      `warning: could not leave by itself (${messageOf(error)}) and is struck off; if the machine lives on, run "docker swarm leave --force" there`,
    );
    return false;
  }
}
