import type { FirewallHost } from "../firewall/rule";
import type { Failure } from "../remote/each";
import { Fleet } from "./fleet";
import { reachDeparting, release } from "./phases/departing";
import { prepareEngines, type Ready } from "./phases/engines";
import { lockHosts } from "./phases/lock";
import { lookAtHosts, reachHosts } from "./phases/look";
import { checkAdoption, checkSwarm, finish, formSwarm } from "./phases/members";
import { checkSwitch, departFromOverlay, leaveOtherOverlays, raiseOverlay } from "./phases/overlay";
import { checkMtu, publicKeys, remembered, without } from "./phases/hosts";
import { proveSwarm } from "./phases/prove";
import { enforceFirewall, type PublicKeys, raiseTunnel, takeHosts } from "./phases/protect";
import { ownerOf, swarmLock, type SwarmRequest, type SwarmResponse, type SwarmResponseHost } from "./request";
import { progress, runAgent } from "./run";

/** Brings all hosts to what the request says, in phases a person can follow. */
async function swarmUp(request: SwarmRequest, previous: SwarmResponse | undefined): Promise<SwarmResponse> {
  const fleet = new Fleet(request.reachableSeconds);
  try {
    const failures: Failure[] = [];
    progress(undefined, `reaching ${request.hosts.length} hosts`);
    const [reached, departing] = await Promise.all([reachHosts(fleet, request, failures), reachDeparting(fleet, request, previous)]);
    await lockHosts(fleet, [...reached, ...departing.flatMap((host) => host.reached ?? [])], swarmLock(request), failures);
    const owner = ownerOf(request, previous);
    const looked = await lookAtHosts(without(failures, reached), request, owner, failures);
    await checkAdoption(request, previous, looked);
    await checkSwarm(request, previous, looked, departing, failures);
    const networks = await checkSwitch(request, previous, looked);
    const ready = await prepareEngines(request, looked, previous?.unlockKeys ?? [], failures);

    const protect = async (all: readonly FirewallHost[]): Promise<PublicKeys> => {
      await enforceFirewall(fleet, request, owner, without(failures, ready), all, failures);
      return raiseTunnel(request, without(failures, ready), all, publicKeys(previous), failures);
    };
    await leaveOtherOverlays(request, networks, without(failures, ready), failures);
    await takeHosts(request, owner, without(failures, ready), failures);
    let keys = await protect([...request.hosts, ...departing.map(({ host }) => host)]);
    await raiseOverlay(request, without(failures, ready), departing, failures);
    const members = await formSwarm(request, previous, without(failures, ready), departing, failures);
    if (departing.length > 0) {
      const gone = without(failures, departing);
      const staying = departing.filter((host) => !gone.includes(host));
      await departFromOverlay(request, without(failures, ready), gone, failures);
      await release(
        gone.flatMap(({ reached }) => reached ?? []),
        request,
        ["firewall", "tunnel"],
        owner,
        failures,
      );
      // One that could not be taken out is a member still, and must find the others until the next run.
      keys = await protect([...request.hosts, ...staying.map(({ host }) => host)]);
    }
    await checkMtu(request, without(failures, ready), failures);
    await proveSwarm(request, without(failures, ready), previous?.unlockKeys ?? [], failures);

    const { nodes, ...kept } = await finish(members, failures);
    progress(undefined, `swarm ${kept.swarmId}: ${request.hosts.length} hosts as asked`);
    const { kind, slices } = request.overlay;
    return { ...kept, called: owner[0], overlay: { kind, slices }, hosts: describeHosts(request, ready, nodes, keys) };
  } finally {
    fleet.close();
  }
}

function describeHosts(
  request: SwarmRequest,
  ready: readonly Ready[],
  nodes: Readonly<Record<string, string>>,
  keys: PublicKeys,
): Record<string, SwarmResponseHost> {
  const engines = new Map(ready.map(({ key, engine }) => [key, engine]));
  const described = request.hosts.map(({ labels: _labels, ...host }): [string, SwarmResponseHost] => {
    const { key } = host;
    return [key, { ...remembered(host, keys[key]), nodeId: nodes[key] ?? "", engine: engines.get(key) ?? "" }];
  });
  return Object.fromEntries(described);
}

void runAgent(swarmUp);
