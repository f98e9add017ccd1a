import type { NetworkIo } from "../networks/api";
import type { DockerApi } from "../remote/docker-api";
import { reasonOf } from "../remote/each";
import { Fleet } from "./fleet";
import type { NetworkRequest } from "./request";
import { progress, sleep } from "./run";

interface Info {
  readonly Swarm: { readonly LocalNodeState: string; readonly ControlAvailable: boolean; readonly Error: string };
}

/** Works on the first manager that answers and takes part in the quorum. */
export async function withManager<Result>(request: NetworkRequest, work: (docker: DockerApi, io: NetworkIo) => Promise<Result>): Promise<Result> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const docker = await firstManager(fleet, request);
    return await work(docker, {
      progress: (line) => progress(undefined, `network ${request.name}: ${line}`),
      sleep,
      now: Date.now,
    });
  } finally {
    fleet.close();
  }
}

/** All are asked at once, so that dead managers cost no waiting. */
async function firstManager(fleet: Fleet, request: NetworkRequest): Promise<DockerApi> {
  const asked = request.managers.map(async ({ key, connection }) => {
    const { docker } = await fleet.reach(key, connection);
    const { Swarm: swarm } = await docker.get<Info>("/info");
    if (!swarm.ControlAvailable) throw new Error(`${key}: its engine is no manager now (${swarm.Error || swarm.LocalNodeState})`);
    return docker;
  });
  try {
    return await Promise.any(asked);
  } catch (error) {
    const reasons = (error as AggregateError).errors.map((reason) => `  - ${reasonOf(reason)}`);
    throw new Error([`network ${request.name}: none of the managers can be asked:`, ...reasons].join("\n"));
  }
}
