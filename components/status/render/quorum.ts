import type { Situation } from "../situation";
import { severalOf } from "../words";

/** What holds of the swarm as a whole, a line for each. */
export function quorumLine(situation: Situation): string[] {
  const { seen, quorum, nodes } = situation;
  if (!seen.swarm) return ["no manager can tell how the swarm is"];
  const spare = quorum.alive - quorum.needed;
  const running = seen.swarm.services.filter(({ running: now, wanted }) => now >= wanted).length;
  return [
    `quorum: ${quorum.alive} of ${severalOf(quorum.total, "manager")} ${quorum.alive === 1 ? "answers" : "answer"}, ${quorum.needed} ${quorum.needed === 1 ? "is" : "are"} needed; ${spare === 0 ? "none more may be lost" : `${spare} more may be lost`}`,
    `nodes: ${nodes.filter(({ state }) => state === "ready").length} of ${nodes.length} ready, as ${seen.swarm.from} says`,
    ...(seen.swarm.services.length > 0 ? [`services: ${running} of ${severalOf(seen.swarm.services.length, "service")} run all their tasks`] : []),
  ];
}
