import { messageOf, waitUntil } from "./control";
import type { LocalSwarmState, SwarmApi, SwarmNode } from "./swarm-api";
import {
  type DesiredSwarm,
  type HostAccess,
  type HostFailure,
  hostLabel,
  type MembershipIo,
  type MembershipLimits,
  type MembershipMemory,
  MembershipRefusal,
} from "./types";

export interface Seen {
  readonly key: string;
  readonly api: SwarmApi;
  readonly local: LocalSwarmState;
}

/** The swarm as it is, before anything is changed. */
export interface Survey {
  readonly seen: ReadonlyMap<string, Seen>;
  readonly failures: HostFailure[];
  /** Undefined when no swarm was ever formed. */
  readonly swarmId: string | undefined;
  readonly nodes: readonly SwarmNode[];
}

/** Looks at all hosts at once and decides which swarm is ours. @throws MembershipRefusal */
export async function survey(
  desired: DesiredSwarm,
  hosts: readonly HostAccess[],
  memory: MembershipMemory | undefined,
  io: MembershipIo,
  limits: MembershipLimits,
): Promise<Survey> {
  const failures: HostFailure[] = hosts.flatMap((host) => (host.kind === "failed" ? [{ host: host.key, reason: host.reason }] : []));
  const seen = new Map<string, Seen>();
  await Promise.all(
    hosts.map(async (host) => {
      if (host.kind === "failed") return;
      try {
        seen.set(host.key, { key: host.key, api: host.api, local: await host.api.local() });
      } catch (error) {
        failures.push({ host: host.key, reason: messageOf(error) });
      }
    }),
  );
  const managers = [...seen.values()].filter(({ local }) => local.state === "active" && local.controlAvailable);
  if (managers.length === 0) {
    refuseWithoutManager(desired, seen, failures, memory);
    return { seen, failures, swarmId: undefined, nodes: [] };
  }
  const nodes = await nodesOf(managers, seen, failures, io, limits);
  const swarmId = whichSwarm(managers, desired, memory);
  refuseForeign(seen, nodes, swarmId);
  return { seen, failures, swarmId, nodes };
}

function refuseWithoutManager(
  desired: DesiredSwarm,
  seen: ReadonlyMap<string, Seen>,
  failures: readonly HostFailure[],
  memory: MembershipMemory | undefined,
): void {
  const locked = [...seen.values()].filter(({ local }) => local.state === "locked").map(({ key }) => key);
  if (locked.length > 0) {
    throw new MembershipRefusal(
      `No manager answers, and ${locked.join(", ")} ${locked.length === 1 ? "is" : "are"} locked: run "docker swarm unlock" there with the unlock key, then run again.`,
    );
  }
  const members = [...seen.values()].filter(({ local }) => local.state !== "inactive").map(({ key }) => key);
  const abandoned = memory !== undefined && desired.abandonedSwarm === memory.swarmId;
  if (members.length > 0 && !abandoned) {
    throw new MembershipRefusal(
      `${members.join(", ")} ${members.length === 1 ? "is" : "are"} in a swarm none of whose managers answers here${memory ? ` (it was ${memory.swarmId})` : ""}. ` +
        `Bring a manager back, or run "docker swarm leave --force" on ${members.length === 1 ? "it" : "them"}${memory ? ` and set membership.abandonedSwarm to "${memory.swarmId}"` : ""}, then run again.`,
    );
  }
  if (memory && !abandoned) {
    throw new MembershipRefusal(
      `The swarm ${memory.swarmId} that this cluster made is on none of its hosts any more. If it is lost for good, set membership.abandonedSwarm to "${memory.swarmId}" ` +
        "and a new one is formed; its services, secrets and networks are then gone. Nothing was changed.",
    );
  }
  const firstManagers = desired.members.filter(({ role }) => role === "manager");
  if (!firstManagers.some(({ key }) => seen.has(key))) {
    const reasons = failures
      .filter(({ host }) => firstManagers.some(({ key }) => key === host))
      .map(({ host, reason }) => `  - ${host}: ${reason.replace(`${host}: `, "")}`);
    throw new MembershipRefusal(["No manager can be reached, so no swarm can be formed. Nothing was changed.", ...reasons].join("\n"));
  }
}

async function nodesOf(
  managers: readonly Seen[],
  seen: ReadonlyMap<string, Seen>,
  failures: readonly HostFailure[],
  io: MembershipIo,
  limits: MembershipLimits,
): Promise<readonly SwarmNode[]> {
  let nodes: readonly SwarmNode[] | undefined;
  let said = "";
  let announced = false;
  await waitUntil(io, limits.leader, async () => {
    for (const { api } of managers) {
      try {
        nodes = await api.nodes();
        return true;
      } catch (error) {
        said = messageOf(error);
      }
    }
    if (!announced) io.progress(undefined, "waiting for the managers to elect a leader");
    announced = true;
    return false;
  });
  if (nodes) return nodes;
  const away = [...failures.map(({ host }) => host)];
  const [first] = managers;
  throw new MembershipRefusal(
    `The swarm has lost its quorum: ${managers.map(({ key }) => key).join(", ")} of ${seen.size + failures.length} hosts ${managers.length === 1 ? "is a manager that answers" : "are managers that answer"}, but there is no leader (${said}). Nothing was changed. ` +
      `Bring back ${away.length > 0 ? away.join(", ") : "the other managers"} and run again. If they are lost for good, run on ${first?.key ?? "a manager"}: ` +
      `docker swarm init --force-new-cluster --advertise-addr ITS_ADDRESS; then run again. Services and networks are kept, running containers go on meanwhile.`,
  );
}

function whichSwarm(managers: readonly Seen[], desired: DesiredSwarm, memory: MembershipMemory | undefined): string {
  const byId = new Map<string, string[]>();
  for (const { key, local } of managers) byId.set(local.swarmId, [...(byId.get(local.swarmId) ?? []), key]);
  if (byId.size > 1) {
    const list = [...byId].map(([id, keys]) => `${keys.join(", ")} in ${id}`).join("; ");
    throw new MembershipRefusal(
      `The hosts are in different swarms: ${list}. Nothing was changed. Decide which is to stay, and run "docker swarm leave --force" on the others.`,
    );
  }
  const [id = ""] = byId.keys();
  if (memory && memory.swarmId !== id && desired.abandonedSwarm !== memory.swarmId) {
    throw new MembershipRefusal(
      `${managers.map(({ key }) => key).join(", ")} ${managers.length === 1 ? "is" : "are"} in the swarm ${id}, but this cluster's is ${memory.swarmId}. Nothing was changed. ` +
        `Run "docker swarm leave --force" there; or, if the old one is lost and this is its successor, set membership.abandonedSwarm to "${memory.swarmId}".`,
    );
  }
  return id;
}

/** A worker does not know its swarm's id, but its node id and its managers. */
function refuseForeign(seen: ReadonlyMap<string, Seen>, nodes: readonly SwarmNode[], swarmId: string): void {
  const ours = new Set(nodes.map(({ id }) => id));
  const foreign = [...seen.values()].filter(
    ({ local }) => local.state === "active" && !ours.has(local.nodeId) && !local.remoteManagers.some(({ nodeId }) => ours.has(nodeId)),
  );
  if (foreign.length > 0) {
    const keys = foreign.map(({ key }) => key).join(", ");
    throw new MembershipRefusal(
      `${keys} ${foreign.length === 1 ? "is" : "are"} in another swarm than ${swarmId}. Nothing was changed. Run "docker swarm leave --force" there, or take the host out of the program.`,
    );
  }
}

/** Which nodes stood for a host: by our own label, or by what the last run remembered. */
export function nodesFor(key: string, nodes: readonly SwarmNode[], memory: MembershipMemory | undefined): readonly SwarmNode[] {
  return nodes.filter(({ id, labels }) => labels[hostLabel] === key || memory?.nodes[key] === id);
}
