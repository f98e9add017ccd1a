import type { SwarmOptions } from "./args";
import { Control, messageOf, waitUntil } from "./control";
import { namesOf } from "./names";
import { asksForRotation, hoursOf } from "./options";
import type { SwarmChange, SwarmSettings } from "./swarm-api";
import {
  defaultLimits,
  type DesiredSwarm,
  type HostAccess,
  type MembershipIo,
  type MembershipLimits,
  type MembershipMemory,
  type MembershipResult,
  rotatedLabels,
} from "./types";

/**
 * The last thing of a run, and only of one in which nothing failed: an unlock key that nobody remembers is a swarm that nobody
 * can open. What was done is read from the swarm
 * itself, so that it is done once whatever was cut off.
 *
 * @param result Of the same run's `reconcileMembership`, without failures.
 * @returns what the next run is to be given.
 */
export async function finishSwarm(
  { options = {}, owner, adopt }: DesiredSwarm,
  hosts: readonly HostAccess[],
  { swarmId, nodes, managers, recovered }: MembershipResult,
  memory: MembershipMemory | undefined,
  io: MembershipIo,
  limits: Partial<MembershipLimits> = {},
): Promise<MembershipMemory> {
  const bounds = { ...defaultLimits, ...limits };
  const control = new Control(io, bounds);
  for (const host of hosts) if (host.kind === "ready" && managers.includes(host.key)) control.add(nodes[host.key] ?? host.key, host.api);
  const adopted = [adopt, memory?.adopted].includes(swarmId);
  try {
    await renewCertificates(options, control, io, bounds);
    const settings = await bring(control, (seen) => settle(seen, options, io));
    const newest = settings.autolock ? [await control.call((api) => api.unlockKey())] : [];
    await seenAsReady(nodes, control, io, bounds);
    const unlockKeys = [...new Set([...newest, ...(memory?.unlockKeys ?? [])])].filter((key) => key !== "").slice(0, keysKept);
    return {
      swarmId,
      nodes,
      owner: owner.mark,
      ...(adopted && { adopted: swarmId }),
      ...(recovered > 0 && { recovered }),
      ...(unlockKeys.length > 0 && { unlockKeys }),
    };
  } catch (error) {
    throw new Error(messageOf(error));
  }
}

/** A manager that was away needs the key of the time when it went. */
const keysKept = 3;

/** Decided anew on each try, so that a change whose answer was lost is not made twice. */
async function bring(control: Control, decide: (seen: SwarmSettings) => SwarmChange | undefined): Promise<SwarmSettings> {
  return control.call(async (api) => {
    const seen = await api.settings();
    const change = decide(seen);
    if (!change) return seen;
    await api.updateSwarm(seen.version, change);
    return api.settings();
  });
}

/**
 * A leader that has just been elected calls all nodes unknown until each has spoken to it (swarmkit, manager/dispatcher, markNodesUnknown),
 * and would give nobody's tasks to them.
 */
async function seenAsReady(nodes: MembershipResult["nodes"], control: Control, io: MembershipIo, limits: MembershipLimits): Promise<void> {
  let others: readonly string[] = [];
  const all = await waitUntil(io, "the managers to see all hosts as ready", limits.ready, async (seen) => {
    const states = new Map((await control.nodes()).map(({ id, state }) => [id, state]));
    others = Object.entries(nodes).flatMap(([key, id]) => (states.get(id) === "ready" ? [] : [`${key} (${states.get(id) ?? "no member"})`]));
    seen(others.join(", "));
    return others.length === 0;
  });
  if (!all)
    throw new Error(
      `after ${limits.ready / 1000} s the managers do not see all hosts as ready: ${others.join(", ")}. ` +
        'Look at "journalctl -u docker" there and on the leader, then run again',
    );
}

async function renewCertificates(
  { certificateExpiry, rotateCa }: SwarmOptions,
  control: Control,
  io: MembershipIo,
  limits: MembershipLimits,
): Promise<void> {
  const settings = await bring(control, (seen) => {
    const hours = certificateExpiry === undefined ? undefined : hoursOf(certificateExpiry);
    const renew = hours !== undefined && hours !== seen.certificateHours;
    const rotate = asksForRotation(rotateCa, seen, "ca");
    if (rotate) io.progress(undefined, "makes another root CA; all nodes get new certificates");
    if (!renew && !rotate) return undefined;
    return {
      ...(renew && { certificateHours: hours }),
      ...(rotate && { rotateCa: true, labels: { [rotatedLabels.ca]: rotateCa } }),
    };
  });
  if (rotateCa === undefined || !settings.caRotating) return;
  const done = await waitUntil(
    io,
    "certificates of the new root CA on all nodes",
    limits.caRotation,
    async () => !(await control.call((api) => api.settings())).caRotating,
  );
  if (done) return;
  const away = namesOf((await control.nodes()).filter(({ state }) => state !== "ready"));
  throw new Error(
    `not all nodes have certificates of the new root CA after ${limits.caRotation / 1000} s` +
      `${away.length > 0 ? `: ${away.join(", ")} cannot be seen by the managers` : ""}. It goes on by itself once all nodes are there; run again then`,
  );
}

function settle(seen: SwarmSettings, { autolock, rotateUnlockKey, rotateJoinTokens }: SwarmOptions, io: MembershipIo): SwarmChange | undefined {
  const lock = autolock !== undefined && autolock !== seen.autolock;
  const locked = autolock ?? seen.autolock;
  const tokens = asksForRotation(rotateJoinTokens, seen, "joinTokens");
  const key = locked && asksForRotation(rotateUnlockKey, seen, "unlockKey");
  if (lock) io.progress(undefined, `autolock is turned ${autolock ? "on" : "off"}`);
  if (tokens) io.progress(undefined, "makes other join tokens");
  // Turned on just now, it comes with a new key.
  const rotateKey = key && !lock;
  if (rotateKey) io.progress(undefined, "makes another unlock key");
  if (!lock && !tokens && !key) return undefined;
  return {
    labels: {
      ...(tokens && { [rotatedLabels.joinTokens]: rotateJoinTokens }),
      ...(key && { [rotatedLabels.unlockKey]: rotateUnlockKey }),
    },
    ...(lock && { autolock }),
    ...(tokens && { rotateJoinTokens: true }),
    ...(rotateKey && { rotateUnlockKey: true }),
  };
}
