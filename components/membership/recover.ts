import { messageOf, localOrNothing, waitUntil } from "./control";
import { type Leaderless, type LostQuorum, nameOf } from "./recovery";
import type { SwarmInit } from "./swarm-api";
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
  const { key, api } = chosen;
  io.progress(
    key,
    `forms the swarm anew from its Raft log, without ${[...lost.leaderless.slice(1).map((other) => other.key), ...lost.absent.map(nameOf)].join(", ")}`,
  );
  let said = "";
  // An answer that was lost on its way is no refusal: what the engine says of itself counts.
  await api.init(initOf(lost, desired)).catch((error: unknown) => (said = messageOf(error)));
  const led = await leads(chosen, io, limits);
  if (!led)
    throw new Error(
      `${key}: the swarm could not be formed anew: ${said || `no leader after ${limits.leader / 1000} s`}. Look at "journalctl -u docker" there, and run again`,
    );
  await markRecovered(lost, api);
  // Without, no packet of an overlay network came back from machines that joined at the lost ones' addresses (Docker 26.1.5, in the lab).
  await io.restart?.(key);
  if (io.restart && !(await leads(chosen, io, limits)))
    throw new Error(`${key}: does not lead the swarm after its engine was restarted. Look at "journalctl -u docker" there, and run again`);
  for (const other of lost.leaderless.slice(1)) await leaveFormer(other, io);
}

/**
 * Left alone, it would try to come back through any manager that it knows, most of which are dead, and be in an error for minutes. Only now: until
 * the swarm has a leader again, this is another copy of it. One after the other, see `dissolveMembership`.
 */
async function leaveFormer({ key, api }: Leaderless, io: MembershipIo): Promise<void> {
  io.progress(key, "leaves the swarm of before, to join again");
  await api.leave(true).catch((error: unknown) => io.progress(key, `could not leave yet: ${messageOf(error)}`));
}

function leads({ key, api }: Leaderless, io: MembershipIo, limits: MembershipLimits): Promise<boolean> {
  return waitUntil(io, [key, "it to lead the swarm"], limits.leader, async () => {
    const local = await localOrNothing(api);
    return local?.state === "active" && local.controlAvailable && local.error === "" && local.swarmId !== "";
  });
}

/** At once: whoever comes back has an older count. */
async function markRecovered({ recovered }: LostQuorum, api: LostQuorum["leaderless"][number]["api"]): Promise<void> {
  const labels = { [recoveredLabel]: String(recovered + 1) };
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
