import type { NetworkIo } from "../networks/api";
import type { DockerApi } from "../remote/docker-api";
import { reasonOf } from "../remote/each";
import { firstAnswer } from "./first";
import { Fleet } from "./fleet";
import type { NetworkRequest } from "./request";
import { progress, sleep, waiting } from "./run";

interface Info {
  readonly Swarm: { readonly LocalNodeState: string; readonly ControlAvailable: boolean; readonly Error: string };
}

/** Nobody is there who could be asked, now or, where the machines go too, ever. */
class NoManager extends Error {}

/** What a manager says that others have left alone. */
const leaderless = /not have a leader|no leader|deadline ?exceeded|connection to Docker broke|did not answer|no longer answers/i;

/**
 * What goes with the swarm must not keep machines alive that nobody can ask any more: a destroy would stop here, and they would
 * go on costing money.
 *
 * @throws whatever else went wrong, as that something uses the network.
 */
export async function removeIfAnswered(name: string, remove: () => Promise<void>, say: (line: string) => void): Promise<void> {
  try {
    await remove();
  } catch (error) {
    const reason = reasonOf(error);
    if (!(error instanceof NoManager) && !leaderless.test(reason)) throw error;
    say(
      `warning: network ${name} was not removed, because no manager can do it. It goes with the swarm; ` +
        `if the swarm lives on, run "docker network rm ${name}" on a manager. ${reason}`,
    );
  }
}

/** Works on the first manager that answers and takes part in the quorum. */
export async function withManager<Result>(request: NetworkRequest, work: (docker: DockerApi, io: NetworkIo) => Promise<Result>): Promise<Result> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const docker = await firstManager(fleet, request);
    return await work(docker, {
      progress: (line) => progress(undefined, `network ${request.name}: ${line}`),
      waiting,
      sleep,
      now: Date.now,
    });
  } finally {
    fleet.close();
  }
}

/** The first one that answers. */
export async function firstManager(fleet: Pick<Fleet, "reach">, request: NetworkRequest): Promise<DockerApi> {
  try {
    return await firstAnswer(request.managers, (manager) => ask(fleet, manager));
  } catch (error) {
    const reasons = (error as AggregateError).errors.map((reason) => `  - ${reasonOf(reason)}`);
    throw new NoManager([`network ${request.name}: none of the managers can be asked:`, ...reasons].join("\n"));
  }
}

async function ask(fleet: Pick<Fleet, "reach">, { key, connection }: NetworkRequest["managers"][number]): Promise<DockerApi> {
  const { docker } = await fleet.reach(key, connection);
  const { Swarm: swarm } = await docker.get<Info>("/info");
  if (!swarm.ControlAvailable) throw new Error(`${key}: its engine is no manager now (${swarm.Error || swarm.LocalNodeState})`);
  return docker;
}
