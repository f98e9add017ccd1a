import { createHash } from "node:crypto";
import type { NodesResponse, SwarmMemory } from "./request";

/** What `nodes` tells of each host, of all that is remembered. */
export function toldOf({ hosts }: Pick<SwarmMemory, "hosts">): NodesResponse["hosts"] {
  const told = Object.entries(hosts).map(
    ([key, { address, nodeId, engine, maintained }]) => [key, { address, nodeId, engine, ...(maintained && { maintained }) }] as const,
  );
  return Object.fromEntries(told.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Another text exactly when something else is told. */
export function digestOfTold(memory: Pick<SwarmMemory, "hosts">): string {
  return createHash("sha256")
    .update(JSON.stringify(toldOf(memory)))
    .digest("base64url");
}
