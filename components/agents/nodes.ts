import "../node/this";
import { recall } from "../memory";
import { type Failure, reasonOf } from "../remote/each";
import { firstAnswer } from "./first";
import { Fleet, type ReachedHost } from "./fleet";
import { placeOf } from "./phases/memory";
import { listFailures } from "./progress";
import type { NodesRequest, NodesResponse, SwarmMemory } from "./request";
import { runAgent } from "./run";
import { digestOfTold, toldOf } from "./told";

/**
 * What the last run of the swarm left behind of each host. Its output is of any size, so Pulumi is not to give it back. One manager is enough
 * that remembers what that run said it would; where none does, the newest memory counts.
 */
async function nodes(request: NodesRequest): Promise<NodesResponse> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const failures: Failure[] = [];
    const place = placeOf(request);
    const reached: ReachedHost[] = [];
    const rememberedBy = async (hosts: readonly ReachedHost[]): Promise<SwarmMemory | undefined> => place && recall<SwarmMemory>(hosts, place);
    const asked = await firstAnswer(request.hosts, async ({ key, connection }) => {
      const host = await fleet.reach(key, connection).catch((error: unknown) => {
        failures.push({ host: key, reason: reasonOf(error) });
        throw error;
      });
      reached.push(host);
      const memory = await rememberedBy([host]);
      if (memory && digestOfTold(memory) === request.run) return memory;
      throw new Error(`${key} remembers another run`);
    }).catch(() => undefined);
    const memory = asked ?? (await rememberedBy(reached));
    if (!memory) throw new Error(["none of the managers can tell of the hosts; run again:", ...listFailures(failures)].join("\n"));
    return { hosts: toldOf(memory) };
  } finally {
    fleet.close();
  }
}

void runAgent(nodes);
