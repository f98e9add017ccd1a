import { type Control, messageOf, waitUntil } from "./control";
import type { SwarmApi, SwarmNode } from "./swarm-api";
import { leavingLabel, type MembershipIo, type MembershipLimits } from "./types";

export interface Retiring {
  readonly key: string;
  readonly node: SwarmNode;
  /** The host itself, where it still answers. */
  readonly api?: SwarmApi;
}

/** Takes one node out: drain, wait for its tasks, demote, leave, strike off. Whatever of it was done already is not done again. */
export async function retire(control: Control, { key, node, api }: Retiring, io: MembershipIo, limits: MembershipLimits): Promise<void> {
  if (node.state !== "down") await drain(control, key, node, io, limits);
  if (node.role === "manager") {
    io.progress(key, "is demoted");
    control.drop(key);
    await control.call((manager) => manager.updateNode(node.id, { role: "worker" }));
    // Leaving before the demotion has arrived there would be refused, or take a vote with it.
    if (api) await waitUntil(io, limits.role, async () => !(await api.local().catch(() => ({ controlAvailable: true }))).controlAvailable);
  }
  if (api) await leave(key, api, io);
  const seenDown = api !== undefined && (await waitUntil(io, limits.down, async () => ((await control.node(node.id))?.state ?? "down") === "down"));
  await control.call((manager) => manager.removeNode(node.id, !seenDown));
  const gone = await waitUntil(io, limits.role, async () => (await control.node(node.id)) === undefined);
  if (!gone) throw new Error(`node ${node.id} is still listed after its removal; run again`);
  io.progress(key, `node ${node.id} is taken out`);
}

async function drain(control: Control, key: string, node: SwarmNode, io: MembershipIo, limits: MembershipLimits): Promise<void> {
  if (node.availability !== "drain") {
    io.progress(key, "is drained");
    await control.call((manager) => manager.updateNode(node.id, { availability: "drain", labels: { ...node.labels, [leavingLabel]: "true" } }));
  }
  let said = -1;
  const empty = await waitUntil(io, limits.drain, async () => {
    const now = await control.node(node.id);
    // The tasks of a dead machine are listed as running until its place is cleared.
    if (now === undefined || now.state === "down") return true;
    const tasks = await control.call((manager) => manager.runningTasks(node.id));
    if (tasks !== said && tasks > 0) io.progress(key, `drained, waiting for ${tasks} ${tasks === 1 ? "task" : "tasks"} to move`);
    said = tasks;
    return tasks === 0;
  });
  if (!empty) io.progress(key, `warning: ${said} tasks are still there after ${limits.drain / 1000} s; going on without them`);
}

async function leave(key: string, api: SwarmApi, io: MembershipIo): Promise<void> {
  try {
    await api.leave(true);
    io.progress(key, "has left the swarm");
  } catch (error) {
    io.progress(key, `warning: could not leave by itself (${messageOf(error)}); it is struck off all the same`);
  }
}
