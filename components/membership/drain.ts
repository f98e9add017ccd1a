import { waitUntil, type Work } from "./control";
import { isAlive } from "./quorum";
import type { SwarmNode } from "./swarm-api";

/**
 * Drains a node, if nobody has yet, and waits until its tasks are gone, but not for ever.
 *
 * @param mark Labels that tell a later run that it was us.
 */
export async function drain(
  key: string,
  node: SwarmNode,
  { control, io, limits }: Pick<Work, "control" | "io" | "limits">,
  mark: Readonly<Record<string, string>>,
): Promise<void> {
  if (node.availability !== "drain") {
    io.progress(key, "is drained");
    await control.call((manager) => manager.updateNode(node.id, { availability: "drain", labels: { ...node.labels, ...mark } }));
  }
  let tasks = -1;
  const empty = await waitUntil(io, [key, "its tasks to move"], limits.drain, async (seen) => {
    const now = await control.node(node.id);
    // The tasks of a dead machine are listed as running until its place is cleared.
    if (!now || !isAlive(now)) return true;
    const before = tasks;
    tasks = await control.call((manager) => manager.runningTasks(node.id));
    seen(`${tasks} left`);
    if (tasks !== before && tasks > 0) io.progress(key, `drained, waiting for ${tasks} ${tasks === 1 ? "task" : "tasks"} to move`);
    return tasks === 0;
  });
  if (!empty)
    io.progress(key, `warning: ${tasks} ${tasks === 1 ? "task is" : "tasks are"} still there after ${limits.drain / 1000} s; going on without them`);
}
