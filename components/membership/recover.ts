import { messageOf, localOrNothing, waitUntil } from "./control";
import { type Leaderless, type LostQuorum, nameOf } from "./recovery";
import type { SwarmApi, SwarmInit } from "./swarm-api";
import { type DesiredSwarm, type MembershipIo, type MembershipLimits, recoveredLabel } from "./types";

/**
 * Forms a swarm that lost its majority anew from one manager, as Docker documents it ("Recover from losing the quorum"): the others lose
 * their votes. Those that are reached leave, and join again like any new one.
 *
 * @throws when there is no leader afterwards.
 */
export async function recoverSwarm(lost: LostQuorum, desired: DesiredSwarm, io: MembershipIo, limits: MembershipLimits): Promise<void> {
  const [chosen] = lost.leaderless;
  if (!chosen) return;
  io.progress(
    chosen.key,
    `forms the swarm anew from its Raft log, without ${[...lost.leaderless.slice(1).map((other) => other.key), ...lost.absent.map(nameOf)].join(", ")}`,
  );
  await formAnew(chosen, initOf(lost, desired), lost.recovered + 1, io, limits);
  for (const other of lost.leaderless.slice(1)) await leaveFormer(other, io);
}

/**
 * The swarm of a manager that has no leader, with this manager alone as its majority.
 *
 * @param recovered What it is marked with at once: whoever comes back has an older count.
 * @throws when there is no leader afterwards.
 */
export async function formAnew(
  { key, api }: Pick<Leaderless, "key" | "api">,
  init: SwarmInit,
  recovered: number,
  io: Pick<MembershipIo, "sleep" | "now" | "waiting" | "restart">,
  limits: MembershipLimits,
): Promise<void> {
  let said = "";
  // An answer that was lost on its way is no refusal: what the engine says of itself counts.
  await api.init(init).catch((error: unknown) => (said = messageOf(error)));
  const led = await leads(key, api, io, limits);
  if (!led)
    throw new Error(
      `${key}: the swarm could not be formed anew: ${said || `no leader after ${limits.leader / 1000} s`}. Look at "journalctl -u docker" there, and run again`,
    );
  await mark(recovered, api);
  // Without, no packet of an overlay network came back from machines that joined at the lost ones' addresses (Docker 26.1.5, in the lab).
  await io.restart?.(key);
  if (io.restart && !(await leads(key, api, io, limits)))
    throw new Error(`${key}: does not lead the swarm after its engine was restarted. Look at "journalctl -u docker" there, and run again`);
}

/**
 * Left alone, it would try to come back through any manager that it knows, most of which are dead, and be in an error for minutes. Only now: until
 * the swarm has a leader again, this is another copy of it. One after the other, see `dissolveMembership`.
 */
async function leaveFormer({ key, api }: Leaderless, io: MembershipIo): Promise<void> {
  io.progress(key, "leaves the swarm of before, to join again");
  await api.leave(true).catch((error: unknown) => io.progress(key, `could not leave yet: ${messageOf(error)}`));
}

function leads(key: string, api: SwarmApi, io: Pick<MembershipIo, "sleep" | "now" | "waiting">, limits: MembershipLimits): Promise<boolean> {
  return waitUntil(io, [key, "it to lead the swarm"], limits.leader, async () => {
    const local = await localOrNothing(api);
    return local?.state === "active" && local.controlAvailable && local.error === "" && local.swarmId !== "";
  });
}

async function mark(recovered: number, api: SwarmApi): Promise<void> {
  const labels = { [recoveredLabel]: String(recovered) };
  try {
    await api.updateSwarm((await api.settings()).version, { labels });
  } catch (error) {
    if (!/out of sequence/.test(messageOf(error))) throw error;
    await api.updateSwarm((await api.settings()).version, { labels });
  }
}

/** What is not given, Docker takes to be its defaults, and not what the member had: so all that the member remembers is. */
function initOf({ leaderless }: LostQuorum, { members, init }: DesiredSwarm): SwarmInit {
  const [chosen] = leaderless;
  const member = members.find(({ key }) => key === chosen?.key);
  const own = chosen?.local.address ?? "";
  const { advertiseAddress = own, listenAddress = `${own}:2377`, dataPathAddress = own } = chosen?.examined?.addresses ?? member ?? {};
  const dataPathPort = chosen?.examined?.addresses?.dataPathPort ?? init?.dataPathPort;
  return { advertiseAddress, listenAddress, dataPathAddress, ...(dataPathPort !== undefined && { dataPathPort }), forceNewCluster: true };
}
