import "../node/this";
import type { NetworkResponse } from "../networks/api";
import { networkDown } from "../networks/reconcile";
import { removeIfAnswered, withManager } from "./network";
import type { NetworkRequest } from "./request";
import { progress, runUndoing } from "./run";

async function down(request: NetworkRequest, previous: NetworkResponse | undefined): Promise<Record<string, never>> {
  const remove = (): Promise<void> => withManager(request, (docker, io) => networkDown(docker, request.cluster, request.name, previous, io));
  await removeIfAnswered(request.name, remove, (line) => progress(undefined, line));
  return {};
}

void runUndoing(down, ({ cluster }) => `SwarmCluster ${cluster}`);
