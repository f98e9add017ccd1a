import { Failures, localOrNothing, messageOf, waitUntil } from "./control";
import type { Seen } from "./survey";
import { type HostAccess, type HostFailure, type MembershipIo, type MembershipMemory, ownerLabel, stackLabel } from "./types";

/** For a leader to be there, who alone can tell whose the swarm is: an election takes 11 s. */
const leaderWait = 15_000;

export interface Dissolved {
  readonly failures: readonly HostFailure[];
  /** Another run has the swarm now, and its hosts must stay as they are. */
  readonly livesOn: boolean;
  /** Hosts that are in another swarm, whoever has it. */
  readonly foreign: readonly string[];
  /** Hosts that were found in our swarm, or in none. */
  readonly ours: readonly string[];
}

/**
 * Takes every host out of the swarm for good: all workers at once, then the managers one after the other. Managers that leave at the
 * same moment may keep the listener of their gossip, and cannot gossip in the next swarm (Docker 26.1: 2 of 3 times, and 0 of 3 one
 * after the other). Nobody waits for tasks or for the quorum, since nothing is to remain. What is not ours is left alone, and so is a swarm that another run has
 * taken over since: see `ownerLabel`. A swarm none of whose managers can be asked whose it is is dissolved: it is dead.
 *
 * @param keep A swarm that was adopted lives on without us, and only whose it is is looked at.
 * @returns the hosts that may still be members, and why. What a person is to do is the same for all ("docker swarm leave
 * --force" on them), so whoever shows them says it.
 */
export async function dissolveMembership(
  hosts: readonly HostAccess[],
  memory: MembershipMemory | undefined,
  io: MembershipIo,
  keep = false,
): Promise<Dissolved> {
  const failures = new Failures();
  const seen = await look(hosts, failures);
  const known = knownIds(seen, memory);
  const other = await takenOver(seen, known, memory, io);
  if (other) {
    io.progress(
      undefined,
      `the swarm was taken over by another run${other.stack === undefined ? "" : ` (of ${other.stack})`}, as when its resource is replaced, or never belonged to this one: it lives on, and was left alone. ` +
        'If nobody is to have it any more, "pulumi up" and then "pulumi destroy", or run "docker swarm leave --force" on its hosts',
    );
    return { failures: [], livesOn: true, foreign: [], ours: [] };
  }
  const isForeign = ({ local }: Seen): boolean => local.state !== "inactive" && !isOurs(local, known);
  const foreign = seen.filter(isForeign).map(({ key }) => key);
  const ours = seen.filter((host) => !isForeign(host)).map(({ key }) => key);
  if (keep) {
    io.progress(undefined, "the swarm was adopted: it lives on, and its services with it");
    return { failures: [], livesOn: false, foreign, ours };
  }
  for (const key of foreign) failures.add(key, "is in another swarm than the one that is dissolved, and was left alone");
  const members = seen.filter((host) => host.local.state !== "inactive" && !isForeign(host));
  const [managers, workers] = [true, false].map((controls) => members.filter(({ local }) => local.controlAvailable === controls));
  await Promise.all((workers ?? []).map((member) => depart(member, failures, io)));
  for (const manager of managers ?? []) await depart(manager, failures, io);
  return { failures: failures.list, livesOn: false, foreign, ours };
}

async function look(hosts: readonly HostAccess[], failures: Failures): Promise<Seen[]> {
  const looks = hosts.map(async (host): Promise<Seen[]> => {
    try {
      if (host.kind === "failed") throw new Error(host.reason);
      return [{ key: host.key, api: host.api, local: await host.api.local() }];
    } catch (error) {
      failures.add(host.key, messageOf(error));
      return [];
    }
  });
  return (await Promise.all(looks)).flat();
}

/** The managers keep the mark, and only one with a leader can tell it. */
async function takenOver(
  seen: readonly Seen[],
  known: ReadonlySet<string>,
  memory: MembershipMemory | undefined,
  io: MembershipIo,
): Promise<{ readonly stack: string | undefined } | undefined> {
  const managers = seen.filter(({ local }) => local.controlAvailable && isOurs(local, known));
  if (managers.length === 0) return undefined;
  let labels: Readonly<Record<string, string>> = {};
  const told = await waitUntil(io, "the managers to say whose the swarm is", leaderWait, async () => {
    for (const { api } of managers) {
      const local = await localOrNothing(api);
      if (!local?.controlAvailable || local.error !== "") continue;
      const settings = await api.settings().catch(() => undefined);
      if (settings) labels = settings.labels;
      if (settings) return true;
    }
    return false;
  });
  return told && labels[ownerLabel] !== memory?.owner ? { stack: labels[stackLabel] } : undefined;
}

/** Ids of nodes that are certainly of our swarm; where its id is not remembered, of the one swarm that managers here are in. */
function knownIds(seen: readonly Seen[], memory: MembershipMemory | undefined): ReadonlySet<string> {
  const swarms = new Set(seen.map(({ local }) => local.swarmId).filter(Boolean));
  const ours = memory && memory.swarmId !== "" ? memory.swarmId : swarms.size === 1 ? [...swarms][0] : undefined;
  const managers = seen.filter(({ local }) => ours !== undefined && local.swarmId === ours).map(({ local }) => local.nodeId);
  return new Set([...managers, ...Object.values(memory?.nodes ?? {})].filter(Boolean));
}

/** A node without an id is one that never got into any swarm. */
function isOurs(local: Seen["local"], known: ReadonlySet<string>): boolean {
  return local.nodeId === "" || known.has(local.nodeId) || local.remoteManagers.some(({ nodeId }) => known.has(nodeId));
}

async function depart({ key, api }: Seen, failures: Failures, io: MembershipIo): Promise<void> {
  try {
    await api.leave(true);
    io.progress(key, "has left the swarm");
    io.did?.(key, "left");
  } catch (error) {
    const reason = messageOf(error);
    if (/not part of a swarm/.test(reason)) return;
    failures.add(key, `could not leave the swarm: ${reason}`);
  }
}
