import { DockerSwarmApi } from "../membership/docker-swarm-api";
import { dissolveMembership, type HostAccess, type MembershipMemory } from "../membership/reconcile";
import { type Failure, onEach } from "../remote/each";
import { Fleet, type ReachedHost } from "./fleet";
import { type Intent, memoryOf, ownerOf, type SwarmDownRequest, swarmLock, type SwarmResponse } from "./request";
import { lockHosts } from "./phases/lock";
import { removeOverlays } from "./phases/overlay";
import { release } from "./phases/departing";
import { progress, runAgent, sleep } from "./run";

/** Takes every host out of the swarm, and our own off the hosts. A host that does not answer does not hold up the others, nor the destroy. */
async function swarmDown(request: SwarmDownRequest, previous: Intent | SwarmResponse | undefined): Promise<Record<string, never>> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const failures: Failure[] = [];
    const reached = await onEach(request.hosts, failures, ({ key, connection }) => fleet.reach(key, connection));
    await lockHosts(fleet, [...reached.values()], swarmLock(request), failures);
    const access = request.hosts.map(({ key }): HostAccess => {
      const host = reached.get(key);
      if (host) return { kind: "ready", key, api: new DockerSwarmApi(key, host.docker) };
      return { kind: "failed", key, reason: failures.find((failure) => failure.host === key)?.reason ?? "not reached" };
    });
    const result = await dissolveMembership(access, markOf(previous), { progress, sleep, now: Date.now }, request.adopt?.dissolve === false);
    for (const { host, reason } of result.failures) {
      progress(host, `warning: ${reason}. If this machine lives on, run "docker swarm leave --force" on it`);
    }
    if (!result.livesOn) await takeOurs(request, [...reached.values()]);
    return {};
  } finally {
    fleet.close();
  }
}

/** Of a state of version 0.1.0, what its last run printed; of an intent, that the swarm is ours if it carries our mark. */
function markOf(previous: Intent | SwarmResponse | undefined): MembershipMemory | undefined {
  if (!previous || "hosts" in previous) return memoryOf(previous);
  return { swarmId: "", nodes: {}, owner: previous.mark };
}

/** Overlay, tunnel and firewall go too: the hosts are as they were found, and nothing of them is held up by what cannot be removed. */
async function takeOurs(request: SwarmDownRequest, hosts: readonly ReachedHost[]): Promise<void> {
  const failures: Failure[] = [];
  await removeOverlays(hosts, failures);
  await release(hosts, request, ["firewall", "tunnel"], ownerOf(request, {}), failures);
  for (const { host, reason } of failures) progress(host, `warning: not all of this package's could be taken away: ${reason}`);
}

void runAgent(swarmDown);
