import "../node/this";
import { forget } from "../memory";
import { type Failure, onEach } from "../remote/each";
import { Fleet } from "./fleet";
import { lockHosts } from "./phases/lock";
import { release, withKey } from "./phases/departing";
import { recallFrom } from "./phases/memory";
import { type HostsDownRequest, hostsLock, type HostsMemory, type HostsResponse, type Intent, ownedParts } from "./request";
import { without } from "./phases/hosts";
import { plainReason } from "./progress";
import { announce, phase, progress, runUndoing, tellDown } from "./run";

/** Takes firewall and tunnel off the hosts. One that does not answer holds up neither the others nor the destroy. */
async function hostsDown(request: HostsDownRequest, previous: Intent | HostsResponse | undefined): Promise<Record<string, never>> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const failures: Failure[] = [];
    const intent = previous && "mark" in previous ? previous : undefined;
    const asked = await phase("reaching", "reached", request.hosts, failures, ({ key, connection }) => fleet.reach(key, connection));
    const memory = request.memory && (await recallFrom<HostsMemory>(fleet, request.memory, intent, request.hosts, [...asked.values()].slice(0, 3)));
    if (intent && memory && memory.mark !== intent.mark) {
      progress(undefined, "the hosts were taken over by another run, as when their resource is replaced: they were left alone");
      return {};
    }
    const known = new Set(request.hosts.map(({ key }) => key));
    const before = Object.entries(memory?.hosts ?? {}).filter(([key]) => !known.has(key));
    const others = await onEach(
      before.map(([key, { connection }]) => ({ key, connection: withKey(connection, request.hosts) })),
      failures,
      ({ key, connection }) => fleet.reach(key, connection),
    );
    const reached = [...asked.values(), ...others.values()];
    await lockHosts(fleet, reached, hostsLock(request), failures);
    if (request.memory) await forget(without(failures, reached), request.memory, progress);
    const parts = [...new Set([...ownedParts(request), ...(memory?.parts ?? [])])];
    const names = [request.owner, ...(memory?.called === undefined ? [] : [memory.called])] as const;
    if (reached.length > 0) announce("taking firewall and tunnel off", reached.length);
    await release(without(failures, reached), request, parts, [...names], failures);
    for (const failure of failures) progress(failure.host, `warning: not all of it could be taken away: ${plainReason(failure)}`);
    tellDown([...request.hosts, ...before.map(([key]) => ({ key }))], failures);
    return {};
  } finally {
    fleet.close();
  }
}

void runUndoing(hostsDown, ({ owner }) => owner);
