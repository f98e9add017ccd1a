import { DockerSwarmApi } from "../membership/docker-swarm-api";
import { dissolveMembership, type HostAccess } from "../membership/reconcile";
import { type Failure, Fleet, onEach } from "./fleet";
import { memoryOf, type SwarmRequest, type SwarmResponse } from "./request";
import { progress, runAgent } from "./run";

/** Takes every host out of the swarm. A host that does not answer does not hold up the others, nor the destroy. */
async function swarmDown(request: SwarmRequest, previous: SwarmResponse | undefined): Promise<Record<string, never>> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const failures: Failure[] = [];
    const reached = await onEach(request.hosts, failures, ({ key, connection }) => fleet.reach(key, connection));
    const access = request.hosts.map(({ key }): HostAccess => {
      const host = reached.get(key);
      if (host) return { kind: "ready", key, api: new DockerSwarmApi(key, host.docker) };
      return { kind: "failed", key, reason: failures.find((failure) => failure.host === key)?.reason ?? "not reached" };
    });
    const result = await dissolveMembership(access, memoryOf(previous), { progress, sleep, now: Date.now });
    for (const { host, reason } of result.failures) {
      progress(host, `warning: ${reason}. If this machine lives on, run "docker swarm leave --force" on it`);
    }
    return {};
  } finally {
    fleet.close();
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

void runAgent(swarmDown);
