import { type Failure, onEach } from "../remote/each";
import { Fleet } from "./fleet";
import { lockHosts } from "./phases/lock";
import { release } from "./phases/departing";
import { type HostsDownRequest, hostsLock, ownedParts } from "./request";
import { without } from "./phases/hosts";
import { progress, runAgent } from "./run";

/** Takes firewall and tunnel off the hosts. One that does not answer holds up neither the others nor the destroy. */
async function hostsDown(request: HostsDownRequest): Promise<Record<string, never>> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const failures: Failure[] = [];
    const reached = await onEach(request.hosts, failures, ({ key, connection }) => fleet.reach(key, connection));
    await lockHosts(fleet, [...reached.values()], hostsLock(request), failures);
    await release(without(failures, [...reached.values()]), request, ownedParts(request), [request.owner], failures);
    for (const { host, reason } of failures) progress(host, `warning: not all of ${request.owner} could be taken away: ${reason}`);
    return {};
  } finally {
    fleet.close();
  }
}

void runAgent(hostsDown);
