import "../node/this";
import type { FirewallHost } from "../firewall/rule";
import type { FormerSwarm } from "../membership/types";
import type { Failure } from "../remote/each";
import { Fleet } from "./fleet";
import { type Departing, reachDeparting, release, sparingOthers, warnOfUncleaned } from "./phases/departing";
import { finishSettings, prepareEngines } from "./phases/engines";
import { lockHosts } from "./phases/lock";
import { renewLogins } from "./phases/login";
import { type Asked, type Looked, lookAtHosts, reachHosts } from "./phases/look";
import { checkAdoption, checkSwarm, finish, formSwarm, type Members } from "./phases/members";
import { aboutToAsk, beforeOf, forgetMemory, isNews, keepMemory, learn, recallSwarm, stillKnown } from "./phases/memory";
import { checkSwitch, departFromOverlay, leaveOtherOverlays, raiseOverlay } from "./phases/overlay";
import { leavingWays, lookForRemoved, removedNow } from "./phases/overlay-before";
import { checkMtu, publicKeys, without } from "./phases/hosts";
import { proveSwarm } from "./phases/prove";
import { enforceFirewall, type PublicKeys, raiseTunnel, takeHosts } from "./phases/protect";
import { walkMembers } from "./phases/walk";
import {
  type OverlayWays,
  ownedParts,
  ownerOf,
  type SwarmMemory,
  swarmLock,
  type SwarmRequest,
  type SwarmResponse,
  type SwarmResponseHost,
  type SwarmUpResponse,
} from "./request";
import { progress, runAgent, tellUp } from "./run";
import { digestOfTold } from "./told";

/** Brings all hosts to what the request says, in phases a person can follow. */
async function swarmUp(request: SwarmRequest, previous: Partial<SwarmResponse & SwarmUpResponse> | undefined): Promise<SwarmUpResponse> {
  const fleet = new Fleet(request.reachableSeconds);
  try {
    const failures: Failure[] = [];
    const reached = await reachHosts(fleet, request, failures);
    const { memory, departing, formerly } = await recallAndLock(fleet, request, previous, reached, failures);
    const owner = ownerOf(request, memory);
    const looked = await lookAtHosts(without(failures, reached), request, owner, failures);
    progress(undefined, "looking at the swarm");
    await checkAdoption(request, memory, looked);
    await checkSwarm({ ...request, formerly }, memory, looked, departing, failures);
    const networks = await checkSwitch(request, memory, looked);
    const removed =
      networks.length > 0
        ? removedNow(request, memory, networks)
        : await lookForRemoved(request, memory, looked, (line) => progress(undefined, line));
    const managers = looked.filter(({ host }) => host.role === "manager");
    const asked = { ...aboutToAsk(request, owner, without(failures, looked), memory), removed };
    await keepMemory(request, managers, asked);
    await renewLogins(fleet, without(failures, looked), failures);

    const members = departing.filter(({ struckOff }) => !struckOff);
    const leaving = leavingWays(request, memory?.overlay);
    const everybody = [...request.hosts, ...members.map(({ host }) => host)];
    const close = (hosts: readonly Looked[], all: readonly FirewallHost[], still?: OverlayWays): Promise<void> =>
      enforceFirewall(fleet, { ...request, leaving: still }, owner, without(failures, hosts), all, failures);
    const tunnel = (all: readonly FirewallHost[]): Promise<PublicKeys> =>
      raiseTunnel(request, without(failures, ready), all, publicKeys(memory), failures);
    const take = async (hosts: readonly Looked[]): Promise<void> => {
      await takeHosts(request, owner, without(failures, hosts), failures);
      await close(hosts, everybody, leaving);
    };
    // A restart of Docker and the proof of a firewall do not need each other.
    const untouched = memory === undefined && !request.adopt && looked.every(isUntouched);
    const [ready] = await Promise.all([prepareEngines(request, looked, memory, failures), ...(untouched ? [take(looked)] : [])]);
    await leaveOtherOverlays(request, networks, without(failures, ready), failures);
    if (!untouched) await take(ready);
    let keys = await tunnel(everybody);
    await finishSettings(request, without(failures, ready), failures);
    await raiseOverlay(request, without(failures, ready), members, failures);
    if (leaving) {
      progress(undefined, "closing the ways that containers' packets took before");
      await close(ready, everybody);
      keys = await tunnel(everybody);
    }
    const formed = await formSwarm({ ...request, formerly }, memory, without(failures, ready), departing, failures);
    const soFar = learn(request, asked, formed, ready, keys, beforeOf(asked, departing));
    if (isNews(asked, soFar)) await keepMemory(request, managers, soFar);
    if (departing.length > 0) {
      const gone = without(failures, departing);
      const staying = members.filter((host) => !gone.includes(host));
      await departFromOverlay(request, without(failures, ready), await sparingOthers(gone, owner, failures), failures);
      const answering = gone.flatMap((host) => host.reached ?? []);
      await forgetMemory(request, answering);
      await release(answering, request, ["firewall", "tunnel", "overlay"], owner, failures);
      // One that could not be taken out is a member still, and must find the others until the next run.
      const left = [...request.hosts, ...staying.map(({ host }) => host)];
      await close(ready, left);
      keys = await tunnel(left);
    }
    await checkMtu(request, without(failures, ready), failures);
    await formed.attached;
    await proveSwarm(request, without(failures, ready), memory?.unlockKeys ?? [], failures);
    const walked = await walkMembers(fleet, request, ready, formed, memory?.unlockKeys ?? [], failures);

    const learnt = learn(request, soFar, formed, walked, keys, stillThere(request, asked, departing, failures));
    return await settle(request, managers, formed, learnt, failures);
  } finally {
    fleet.close();
  }
}

/** Docker is there, and nothing of this package: no package has to be installed, and nothing has to go first. */
function isUntouched({ needsEngine, probe }: Looked): boolean {
  return !needsEngine && probe.folders.length === 0;
}

/** Only under the lock it is certain that no other run is about to remember something else. */
async function recallAndLock(
  fleet: Fleet,
  request: SwarmRequest,
  previous: Partial<SwarmResponse & SwarmUpResponse> | undefined,
  reached: readonly Asked[],
  failures: Failure[],
): Promise<{ readonly memory: SwarmMemory | undefined; readonly departing: readonly Departing[]; readonly formerly: FormerSwarm }> {
  const look = async (unasked: Failure[]): Promise<SwarmMemory | undefined> => {
    const managers = reached.filter(({ host }) => host.role === "manager");
    const found = await recallSwarm(fleet, request, request.intent, managers, previous, unasked);
    return found && { ...found, hosts: stillKnown(found.hosts, givenUp(request)) };
  };
  const first = await look([]);
  const departing = await reachDeparting(fleet, request, first);
  await lockHosts(fleet, [...reached, ...departing.flatMap((host) => host.reached ?? [])], swarmLock(request), failures);
  const unasked: Failure[] = [];
  const memory = await look(unasked);
  const { swarmId, recovered } = previous ?? {};
  const formerly = {
    firstManagers: request.intent.firstManagers ?? [],
    unasked,
    ...(swarmId !== undefined && swarmId !== "" && { swarmId }),
    ...(recovered !== undefined && { recovered }),
  };
  if (memory?.generation === first?.generation) return { memory, departing, formerly };
  return { memory, departing: await reachDeparting(fleet, request, memory), formerly };
}

/** By name, and only what is no host of the program any more. */
function givenUp({ forget = [], hosts }: SwarmRequest): readonly string[] {
  return forget.filter((name) => !hosts.some(({ key }) => key === name));
}

/** Hosts that are no longer asked for and not clean: on which something failed, and machines of the user's own that could not be reached. */
function stillThere(
  request: SwarmRequest,
  { hosts }: SwarmMemory,
  departing: readonly Departing[],
  failures: readonly Failure[],
): (readonly [string, SwarmResponseHost])[] {
  const parts = [
    ...ownedParts(request),
    "its membership of the swarm",
    ...(request.overlay.onHosts ? [`the programs of ${request.overlay.kind}`] : []),
  ];
  return departing.flatMap((host): (readonly [string, SwarmResponseHost])[] => {
    const { key, reached, ownMachine } = host;
    const before = hosts[key];
    if (!before) return [];
    if (failures.some((failure) => failure.host === key)) return [[key, before]];
    // Where Pulumi made the machine, it deletes it now.
    if (reached !== undefined || !ownMachine) return [];
    warnOfUncleaned(host, parts);
    return [[key, { ...before, struckOff: true }]];
  });
}

async function settle(
  request: SwarmRequest,
  managers: readonly Asked[],
  formed: Members,
  learnt: SwarmMemory,
  failures: readonly Failure[],
): Promise<SwarmUpResponse> {
  if (failures.length > 0) tellUp(request.hosts, failures, true);
  const kept = await finish(formed, failures).catch(async (error: unknown) => {
    await keepMemory(request, managers, learnt);
    throw error;
  });
  const { nodes: _nodes, ...swarm } = kept;
  await keepMemory(request, managers, { ...learnt, ...swarm });
  tellUp(request.hosts, failures, true);
  const { generation, recovered } = learnt;
  return { swarmId: swarm.swarmId, generation, told: digestOfTold(learnt), ...(recovered !== undefined && { recovered }) };
}

void runAgent(swarmUp);
