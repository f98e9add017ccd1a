import type { FirewallHost } from "../firewall/rule";
import type { OwnerNames } from "../owner";
import { type Failure, onEach } from "../remote/each";
import { Fleet } from "./fleet";
import { reachDeparting, release } from "./phases/departing";
import { checkMtu, publicKeys, remembered, without } from "./phases/hosts";
import { lockHosts } from "./phases/lock";
import { enforceFirewall, type Guarded, type PublicKeys, raiseTunnel, takeHosts } from "./phases/protect";
import { hostsLock, type HostsRequest, type HostsResponse, ownedParts } from "./request";
import { progress, reportFailures, runAgent } from "./run";

/** Brings the firewall, or the tunnel, or both, of hosts to what the request says. Docker is not looked at. */
async function hostsUp(request: HostsRequest, previous: HostsResponse | undefined): Promise<HostsResponse> {
  const fleet = new Fleet(request.reachableSeconds);
  try {
    const failures: Failure[] = [];
    const { hosts } = request;
    const owner: OwnerNames = [request.owner, ...(previous?.called === undefined ? [] : [previous.called])];
    progress(undefined, `reaching ${hosts.length} hosts`);
    const [reached, departing] = await Promise.all([reach(fleet, request, failures), reachDeparting(fleet, request, previous)]);
    await lockHosts(fleet, [...reached, ...departing.flatMap((host) => host.reached ?? [])], hostsLock(request), failures);
    await takeHosts(request, owner, without(failures, reached), failures);
    const protect = async (all: readonly FirewallHost[]): Promise<PublicKeys> => {
      await enforceFirewall(fleet, request, owner, without(failures, reached), all, failures);
      return raiseTunnel(request, without(failures, reached), all, publicKeys(previous), failures);
    };
    const [parts, before] = [ownedParts(request), previous?.parts ?? []];
    const leaving = departing.flatMap((host) => host.reached ?? []);
    await release(leaving, request, [...new Set([...parts, ...before])], owner, failures);
    const dropped = before.filter((part) => !parts.includes(part));
    if (dropped.length > 0) await release(without(failures, reached), request, dropped, owner, failures);
    const staying = departing.filter(({ key }) => failures.some(({ host }) => host === key));
    const keys = await protect([...hosts, ...staying.map(({ host }) => host)]);
    if (request.tunnel) await checkMtu(request, without(failures, reached), failures);
    reportFailures(hosts, failures);
    progress(undefined, `${hosts.length} hosts as asked`);
    return { parts, called: owner[0], hosts: Object.fromEntries(hosts.map((host) => [host.key, remembered(host, keys[host.key])])) };
  } finally {
    fleet.close();
  }
}

async function reach(fleet: Fleet, request: HostsRequest, failures: Failure[]): Promise<Guarded[]> {
  const reached = await onEach(request.hosts, failures, async (host): Promise<Guarded> => {
    return { ...(await fleet.reach(host.key, host.connection)), host };
  });
  return [...reached.values()];
}

void runAgent(hostsUp);
