import "../node/this";
import type { NetworkResponse } from "../networks/api";
import { networkDown } from "../networks/reconcile";
import { removeIfAnswered, withManager } from "./network";
import type { NetworkRequest } from "./request";
import { progress, runAgent } from "./run";

void runAgent(async (request: NetworkRequest, previous: NetworkResponse | undefined) => {
  const remove = (): Promise<void> => withManager(request, (docker, io) => networkDown(docker, request.cluster, request.name, previous, io));
  await removeIfAnswered(request.name, remove, (line) => progress(undefined, line));
  return {};
});
