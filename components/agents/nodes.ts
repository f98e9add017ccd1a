import "../node/this";
import { recall } from "../memory";
import { type Failure, onEach } from "../remote/each";
import { Fleet } from "./fleet";
import { placeOf } from "./phases/memory";
import { listFailures } from "./progress";
import type { NodesRequest, NodesResponse, SwarmMemory } from "./request";
import { runAgent } from "./run";

/** What the last run of the swarm left behind of each host. Its output is of any size, so Pulumi is not to give it back. */
async function nodes(request: NodesRequest): Promise<NodesResponse> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const failures: Failure[] = [];
    const reached = await onEach(request.hosts, failures, ({ key, connection }) => fleet.reach(key, connection));
    const place = placeOf(request);
    const memory = place && (await recall<SwarmMemory>([...reached.values()], place));
    if (!memory) throw new Error(["none of the managers can tell of the hosts; run again:", ...listFailures(failures)].join("\n"));
    const told = Object.entries(memory.hosts).map(([key, { address, nodeId, engine }]) => [key, { address, nodeId, engine }] as const);
    return { hosts: Object.fromEntries(told) };
  } finally {
    fleet.close();
  }
}

void runAgent(nodes);
