import "../node/this";
import type { FirewallHost } from "../firewall/rule";
import { forget } from "../memory";
import type { OwnerNames } from "../owner";
import { type Failure, onEach } from "../remote/each";
import { Fleet } from "./fleet";
import { reachDeparting, release, warnOfUncleaned } from "./phases/departing";
import { checkMtu, publicKeys, remembered, without } from "./phases/hosts";
import { lockHosts } from "./phases/lock";
import { renewLogins } from "./phases/login";
import { lookAtFirewalls } from "./phases/look";
import { keepOn, recallFrom } from "./phases/memory";
import { enforceFirewall, type Guarded, type PublicKeys, raiseTunnel, takeHosts } from "./phases/protect";
import { hostsLock, type HostsMemory, type HostsRequest, type HostsResponse, type HostsUpResponse, ownedParts, type RememberedHost } from "./request";
import { phase, progress, reportFailures, runAgent, tellUp } from "./run";

/** On so many hosts lies what is known of all of them. */
const holdersOf = 3;

/** Brings the firewall, or the tunnel, or both, of hosts to what the request says. Docker is not looked at. */
async function hostsUp(request: HostsRequest, printed: Partial<HostsResponse> | undefined): Promise<HostsUpResponse> {
  const fleet = new Fleet(request.reachableSeconds);
  try {
    const failures: Failure[] = [];
    const { hosts } = request;
    const reached = await reach(fleet, request, failures);
    await lookAt(reached, request, failures);
    const holders = reached.slice(0, holdersOf);
    const recalled = await recallFrom<HostsMemory>(fleet, request.memory, request.intent, hosts, holders);
    const previous: Omit<HostsMemory, "mark"> | undefined =
      recalled ?? (printed?.hosts && { parts: [], generation: 0, ...printed, hosts: printed.hosts });
    const owner: OwnerNames = [request.owner, ...(previous?.called === undefined ? [] : [previous.called])];
    const departing = await reachDeparting(fleet, request, previous);
    await lockHosts(fleet, [...reached, ...departing.flatMap((host) => host.reached ?? [])], hostsLock(request), failures);
    await takeHosts(request, owner, without(failures, reached), failures);
    await renewLogins(fleet, without(failures, reached), failures);
    const protect = async (all: readonly FirewallHost[]): Promise<PublicKeys> => {
      await enforceFirewall(fleet, request, owner, without(failures, reached), all, failures);
      return raiseTunnel(request, without(failures, reached), all, publicKeys(previous), failures);
    };
    const [parts, before] = [ownedParts(request), previous?.parts ?? []];
    const { mark } = request.intent;
    const generation = (previous?.generation ?? 0) + 1;
    const asked = Object.fromEntries(hosts.map((host) => [host.key, remembered(host, previous?.hosts[host.key]?.publicKey)]));
    const called = owner[0];
    await keepOn(request.memory, without(failures, holders), {
      ...previous,
      mark,
      generation,
      parts,
      called,
      hosts: { ...previous?.hosts, ...asked },
    });
    const leaving = departing.flatMap((host) => host.reached ?? []);
    await release(leaving, request, [...new Set([...parts, ...before])], owner, failures);
    await forget(leaving, request.memory, progress);
    const dropped = before.filter((part) => !parts.includes(part));
    if (dropped.length > 0) await release(without(failures, reached), request, dropped, owner, failures);
    const staying = departing.filter(({ key, struckOff }) => !struckOff && failures.some(({ host }) => host === key));
    const keys = await protect([...hosts, ...staying.map(({ host }) => host)]);
    if (request.tunnel) await checkMtu(request, without(failures, reached), failures);
    const uncleaned = departing.flatMap((host): [string, RememberedHost][] => {
      const last = previous?.hosts[host.key];
      if (!last || !(staying.includes(host) || (host.ownMachine && !host.reached))) return [];
      if (!host.reached) warnOfUncleaned(host, [...new Set([...parts, ...before])]);
      return [[host.key, host.reached ? last : { ...last, struckOff: true }]];
    });
    const now = hosts.map((host): [string, RememberedHost] => [host.key, remembered(host, keys[host.key] ?? previous?.hosts[host.key]?.publicKey)]);
    const left = Object.fromEntries([...uncleaned, ...now]);
    await keepOn(request.memory, without(failures, holders), { mark, generation: generation + 1, parts, called, hosts: left });
    tellUp(hosts, failures, false);
    reportFailures(hosts, failures);
    return { publicKeys: keys };
  } finally {
    fleet.close();
  }
}

async function reach(fleet: Fleet, request: HostsRequest, failures: Failure[]): Promise<Guarded[]> {
  const reached = await phase("reaching", "reached", request.hosts, failures, async (host): Promise<Guarded> => {
    return { ...(await fleet.reach(host.key, host.connection)), host };
  });
  return [...reached.values()];
}

/** Before anything is changed on any of them. */
async function lookAt(hosts: readonly Guarded[], request: HostsRequest, failures: Failure[]): Promise<void> {
  await onEach(hosts, failures, async ({ key, session }) => {
    const { refusals, warnings } = await lookAtFirewalls(request, session);
    if (refusals.length > 0) throw new Error(refusals.join("; "));
    for (const warning of warnings) progress(key, `warning: ${warning}`);
  });
}

void runAgent(hostsUp);
