import { messageOf, waitUntil, type Work } from "./control";
import { drain } from "./drain";
import type { Leaving } from "./plan";
import { isAlive, votes } from "./quorum";
import { stepDown } from "./roles";
import type { SwarmApi } from "./swarm-api";
import { leavingLabel } from "./types";

/** Takes one node out: drain, wait for its tasks, demote, leave, strike off. Whatever of it was done already is not done again. */
export async function retire({ key, node: seen, api }: Leaving, work: Work): Promise<void> {
  const { control, io, limits } = work;
  const node = await control.node(seen.id);
  if (!node) return;
  if (isAlive(node)) await drain(key, node, work, { [leavingLabel]: "true" });
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
