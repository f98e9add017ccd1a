import { localOrNothing, messageOf, waitUntil, type Work } from "./control";
import { drain } from "./drain";
import { namesOf } from "./names";
import { holds, isAlive, majorityOf, quorumOf, votes } from "./quorum";
import { trouble } from "./standing";
import type { SwarmApi, SwarmNode } from "./swarm-api";
import { asideLabel, hostLabel, MembershipRefusal } from "./types";

export type AsideWork = Pick<Work, "control" | "io" | "limits">;

/** A member whose machine may be stopped, and is expected back. Holds a secret. */
export interface Aside {
  readonly nodeId: string;
  /** Secret. Opens the manager when its engine has started again; it is asked for while there is a leader for sure. Empty without autolock. */
  readonly unlockKey: string;
}

/** How a member steps aside. */
export interface Stepping {
  /** Keys of hosts that step aside at the same time, by the same run. @default - none */
  readonly beside?: ReadonlySet<string>;
  /** @default true */
  readonly drained?: boolean;
}

/**
 * Gets a member ready for its machine to be stopped for a while: drained, its tasks elsewhere.
 *
 * @returns undefined for a host that is in no swarm: there is nothing to lose.
 * @throws MembershipRefusal before anything is changed, where the managers would lose their majority though they need not.
 */
export async function stepAside(key: string, work: AsideWork, { beside, drained = true }: Stepping = {}): Promise<Aside | undefined> {
  const { control, io } = work;
  const nodes = await control.nodes();
  const own = nodes.filter(({ labels }) => labels[hostLabel] === key);
  const node = own.find(isAlive) ?? own[0];
  if (!node) return undefined;
  keepMajority(key, node, nodes, work);
  const unlockKey = await control.call((manager) => manager.unlockKey());
  // What another run left behind when it was cut off.
  for (const other of nodes) if (other !== node && isAlive(other) && !beside?.has(other.labels[hostLabel] ?? "")) await putBack(other, work);
  if (!drained) return { nodeId: node.id, unlockKey };
  if (isAlive(node)) await drain(key, node, work, { [asideLabel]: node.availability });
  else io.progress(key, "is down already: nothing to drain");
  return { nodeId: node.id, unlockKey };
}

/** One or two managers cannot be kept in majority without one of them: that it costs the quorum for a while is only said. */
function keepMajority(key: string, node: SwarmNode, nodes: readonly SwarmNode[], { io }: AsideWork): void {
  const quorum = quorumOf(nodes);
  if (!votes(node) || !isAlive(node) || holds({ ...quorum, alive: quorum.alive - 1 })) return;
  if (quorum.total <= 2) {
    io.progress(key, "warning: until it is back, the swarm can be changed by nobody; three managers would go on without it");
    return;
  }
  throw new MembershipRefusal(`${describeLoss([key], nodes)}. Fix: bring them back or take them out first, then run again`);
}

/**
 * @param keys Hosts whose machines are to be other ones, all at once.
 * @throws MembershipRefusal where the managers would lose their majority with them.
 */
export function mustDoWithout(keys: readonly string[], nodes: readonly SwarmNode[]): void {
  const leaving = nodes.filter((node) => keys.includes(node.labels[hostLabel] ?? "") && votes(node) && isAlive(node));
  const quorum = quorumOf(nodes);
  if (leaving.length === 0 || holds({ ...quorum, alive: quorum.alive - leaving.length })) return;
  throw new MembershipRefusal(describeLoss([...new Set(leaving.map(({ labels }) => labels[hostLabel] ?? ""))], nodes));
}

function describeLoss(keys: readonly string[], nodes: readonly SwarmNode[]): string {
  const { total } = quorumOf(nodes);
  const dead = namesOf(nodes.filter((other) => votes(other) && !isAlive(other)));
  const them = keys.length === 1 ? [`${keys.join()} is a manager`, "it"] : [`${keys.join(", ")} are managers`, "them"];
  const why = dead.length === 0 ? "" : `: ${dead.join(", ")} cannot be reached by the others`;
  return `${them[0]}, and without ${them[1]} the ${total} managers would lose their majority of ${majorityOf(total)}${why}`;
}

/**
 * Takes a member back whose machine has been started again. Its availability is given back at once, while it still starts: a
 * run that is cut off meanwhile leaves nothing behind.
 *
 * @param reach Dials the host until it answers.
 * @throws what is wrong with it when the limit is over.
 */
export async function comeBack(key: string, aside: Aside, reach: () => Promise<SwarmApi>, work: AsideWork): Promise<void> {
  // One of two managers, or the only one, has nobody to ask before it is there itself.
  const early = giveBack(aside, work).catch(() => undefined);
  const api = await reach();
  await beBack(key, aside, api, work).finally(() => early);
  await giveBack(aside, work);
  work.io.progress(key, "is back");
}

/** Gives a member the availability that it had when it stepped aside. */
export async function giveBack({ nodeId }: Pick<Aside, "nodeId">, work: Pick<AsideWork, "control">): Promise<void> {
  const node = await work.control.node(nodeId);
  if (node) await putBack(node, work);
}

/**
 * Waits until a member whose engine has started again takes part in the swarm, and unlocks it for that. It stays drained.
 *
 * @throws what is wrong with it when the limit is over.
 */
export async function beBack(key: string, { nodeId, unlockKey }: Aside, api: SwarmApi, work: AsideWork): Promise<void> {
  const { io, limits } = work;
  let wrong = "its engine does not answer";
  const back = await waitUntil(io, [key, "it to be back in the swarm"], limits.ready, async () => {
    const found = await troubleOf(nodeId, unlockKey, api, work).catch(messageOf);
    wrong = found ?? wrong;
    return found === undefined;
  });
  if (!back) throw new Error(`${wrong} (waited ${limits.ready / 1000} s)`);
}

async function troubleOf(nodeId: string, unlockKey: string, api: SwarmApi, { control }: AsideWork): Promise<string | undefined> {
  const local = await localOrNothing(api);
  if (!local) return "its engine does not answer";
  if (local.state === "locked" && unlockKey !== "") await api.unlock(unlockKey);
  if (local.controlAvailable) control.add(nodeId, api);
  const node = await control.node(nodeId);
  if (!node) return "the managers have no such node any more";
  return trouble(local, node);
}

/** Undoes `stepAside`, on a node that may still be down. */
async function putBack(node: SwarmNode, { control }: Pick<AsideWork, "control">): Promise<void> {
  const availability = node.labels[asideLabel];
  if (availability === undefined) return;
  const { [asideLabel]: _, ...labels } = node.labels;
  await control.call((manager) => manager.updateNode(node.id, { labels, availability: availabilityOf(availability) }));
}

/** Anybody can write a label. */
export function availabilityOf(label: string): SwarmNode["availability"] {
  return label === "pause" ? "pause" : "active";
}
