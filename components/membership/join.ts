import { localOrNothing, messageOf, waitUntil, type Work } from "./control";
import { hoursOf, initialLabels } from "./options";
import { isAlive, votes } from "./quorum";
import { ownerLabels } from "./ownership";
import type { Joining } from "./plan";
import type { LocalSwarmState, SwarmAddresses, SwarmApi, SwarmInit } from "./swarm-api";
import type { DesiredMember, DesiredSwarm } from "./types";

/** @returns the new swarm's id. @throws when it cannot be formed, for nothing else can be done then. */
export async function formSwarm({ member, api, remains }: Joining, desired: DesiredSwarm, work: Work): Promise<string> {
  const { init: given, options = {} } = desired;
  const { io, limits } = work;
  if (remains) await leaveRemains(member.key, api, work);
  io.progress(member.key, "forms the swarm");
  const init: SwarmInit = {
    ...given,
    ...addressesOf(member),
    labels: { ...initialLabels(options), ...ownerLabels(desired) },
    ...(options.certificateExpiry !== undefined && { certificateHours: hoursOf(options.certificateExpiry) }),
  };
  let said = "";
  // An answer that was lost on its way is no refusal: what the engine says of itself counts.
  await api.init(init).catch((error: unknown) => (said = messageOf(error)));
  let swarmId = "";
  await waitUntil(io, [member.key, "the new swarm"], limits.leader, async () => {
    const local = await localOrNothing(api);
    if (said !== "" && local?.state !== "active") return true;
    if (local?.state !== "active" || !local.controlAvailable || local.error !== "") return false;
    swarmId = local.swarmId;
    work.control.add(local.nodeId, api);
    return swarmId !== "";
  });
  if (swarmId === "")
    throw new Error(
      `${member.key}: the swarm could not be formed there: ${said || `no leader after ${limits.leader / 1000} s`}. Look at "journalctl -u docker" there, and run again`,
    );
  await becomeReady(member, api, work);
  io.did?.(member.key, "joined");
  return swarmId;
}

/** All at once. The tokens are read here, used here, and go nowhere else. */
export async function joinAll(joins: readonly Joining[], desired: DesiredSwarm, work: Work): Promise<void> {
  if (joins.length === 0) return;
  const tokens = await work.control.call((api) => api.joinTokens());
  const managers = await managersToAsk(desired, work);
  const keys = joins.map(({ member }) => member.key);
  const count = work.io.counting?.("joined the swarm", keys);
  await Promise.all(
    joins.map(async (joining) => {
      const { key, role } = joining.member;
      await work.failures.attempt(key, () => join(joining, { token: tokens[role], managers }, work));
      count?.ended(key, !work.failures.has(key));
    }),
  );
  count?.end();
}

/** Live ones only, the leader first: an address where nobody answers costs a join 20 s, and may leave it pending. */
async function managersToAsk(desired: DesiredSwarm, { control, members }: Work): Promise<readonly string[]> {
  const alive = (await control.nodes()).filter((node) => votes(node) && isAlive(node)).sort((a, b) => Number(b.leader) - Number(a.leader));
  const { remoteManagers } = await control.call((api) => api.local());
  // What the engine tells is what was advertised; a manager that has just become one may not be told of yet.
  const listening = new Map(desired.members.map(({ key, listenAddress }) => [members.get(key), listenAddress]));
  return alive.flatMap(({ id }) => remoteManagers.find(({ nodeId }) => nodeId === id)?.address ?? listening.get(id) ?? []);
}

interface Invitation {
  readonly token: string;
  readonly managers: readonly string[];
}

async function join({ member, api, remains }: Joining, invitation: Invitation, work: Work): Promise<void> {
  const { key, role } = member;
  if (remains) await leaveRemains(key, api, work);
  work.io.progress(key, `joins as ${role}`);
  const options = { ...addressesOf(member), ...invitation };
  try {
    await api.join(options);
  } catch (error) {
    if (!(await isIn(api, work))) {
      work.io.progress(key, `tries to join once more: ${messageOf(error)}`);
      await leaveRemains(key, api, work, false);
      await joinForTheLastTime(key, api, options, work);
    }
  }
  if (role === "manager") await work.io.sleep(leaderKnown);
  await becomeReady(member, api, work);
  work.io.did?.(key, "joined");
}

/**
 * Milliseconds in which most managers that joined have learnt of the leader. One that is asked before looks for it once a second, and answers
 * only then (swarmkit, manager/state/raft/raft.go, LeaderConn). So it is asked again beside that, for answers of their own, as often as there
 * are streams to an engine.
 */
const leaderKnown = 150;
const askedAtOnce = 4;

async function soonest(api: SwarmApi, io: Work["io"]): Promise<LocalSwarmState | undefined> {
  const asked: Promise<LocalSwarmState | undefined>[] = [];
  const pause = (): Promise<"silent"> => io.sleep(leaderKnown).then(() => "silent");
  while (asked.length < askedAtOnce) {
    asked.push(localOrNothing(api, asked.length));
    const answer = await Promise.race([...asked, pause()]);
    if (answer !== "silent") return answer;
  }
  return Promise.race(asked);
}

async function joinForTheLastTime(key: string, api: SwarmApi, options: Invitation & SwarmAddresses, work: Work): Promise<void> {
  try {
    await api.join(options);
  } catch (error) {
    if (await isIn(api, work)) return;
    // Left alone, it would go on in the background and succeed when nobody looks.
    await leaveRemains(key, api, work, false);
    throw new Error(`could not join: ${messageOf(error)}`);
  }
}

/** The answer to a join may be lost though the join was not. */
async function isIn(api: SwarmApi, { control }: Work): Promise<boolean> {
  const local = await localOrNothing(api);
  return local?.state === "active" && (await control.node(local.nodeId)) !== undefined;
}

async function leaveRemains(key: string, api: SwarmApi, { io, limits }: Work, announce = true): Promise<void> {
  const { state } = await api.local();
  if (state === "inactive") return;
  if (announce) io.progress(key, `is "${state}" in a swarm that it no longer belongs to: leaves that first`);
  await api.leave(true);
  await io.sleep(limits.release);
}

async function becomeReady({ key, role }: DesiredMember, api: SwarmApi, work: Work): Promise<void> {
  const { control, io, limits } = work;
  let seen = "";
  const ready = await waitUntil(io, [key, "the managers to see it as ready"], limits.ready, async () => {
    const local = await (role === "manager" ? soonest(api, io) : localOrNothing(api));
    const node = local && (await control.node(local.nodeId));
    seen = local
      ? `its engine is "${local.state}", the managers see it ${node ? `as ${node.state} ${node.role}` : "not at all"}`
      : "its engine gives no answer";
    if (!local || !node || local.state !== "active" || node.state !== "ready") return false;
    if (role === "manager" && !(local.controlAvailable && votes(node) && isAlive(node))) return false;
    work.members.set(key, node.id);
    if (role === "manager") control.add(node.id, api);
    return true;
  });
  if (!ready)
    throw new Error(
      `joined, but after ${limits.ready / 1000} s ${seen}. Look at "journalctl -u docker" there; do 2377/tcp and 7946/tcp+udp pass between the hosts?`,
    );
}

function addressesOf({ advertiseAddress, listenAddress, dataPathAddress }: DesiredMember): SwarmAddresses {
  return { advertiseAddress, listenAddress, dataPathAddress };
}
