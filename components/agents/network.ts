import type { NetworkIo } from "../networks/api";
import type { DockerApi } from "../remote/docker-api";
import { reasonOf } from "../remote/each";
import { firstAnswer } from "./first";
import { Fleet } from "./fleet";
import type { ManagersRequest } from "./request";
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
 * @param command What removes it by hand.
 * @throws whatever else went wrong, as that something uses a network.
 */
export async function removeIfAnswered(
  { what, command }: { readonly what: string; readonly command: string },
  remove: () => Promise<void>,
  say: (line: string) => void,
): Promise<void> {
  try {
    await remove();
  } catch (error) {
    const reason = reasonOf(error);
    if (!(error instanceof NoManager) && !leaderless.test(reason)) throw error;
    say(
      `warning: ${what} was not removed, because no manager can do it. It goes with the swarm; ` +
        `if the swarm lives on, run "${command}" on a manager. ${reason}`,
    );
  }
}

/** Works on the first manager that answers and takes part in the quorum. @param what Such as `network web`. */
export async function withManager<Result>(
  what: string,
  request: ManagersRequest,
  work: (docker: DockerApi, io: NetworkIo) => Promise<Result>,
): Promise<Result> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const docker = await firstManager(fleet, what, request);
    return await work(docker, {
      progress: (line) => progress(undefined, `${what}: ${line}`),
      waiting,
      sleep,
      now: Date.now,
    });
  } finally {
    fleet.close();
  }
}

/** The first one that answers. */
export async function firstManager(fleet: Pick<Fleet, "reach">, what: string, { managers }: ManagersRequest): Promise<DockerApi> {
  try {
    return await firstAnswer(managers, (manager) => ask(fleet, manager));
  } catch (error) {
    const reasons = (error as AggregateError).errors.map((reason) => `  - ${reasonOf(reason)}`);
    throw new NoManager([`${what}: none of the managers can be asked:`, ...reasons].join("\n"));
  }
}

async function ask(fleet: Pick<Fleet, "reach">, { key, connection }: ManagersRequest["managers"][number]): Promise<DockerApi> {
  const { docker } = await fleet.reach(key, connection);
  const { Swarm: swarm } = await docker.get<Info>("/info");
  if (!swarm.ControlAvailable) throw new Error(`${key}: its engine is no manager now (${swarm.Error || swarm.LocalNodeState})`);
  return docker;
}
