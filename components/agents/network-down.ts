import { networkDown } from "../networks/reconcile";
import { withManager } from "./network";
import type { NetworkRequest, NetworkResponse } from "./request";
import { runAgent } from "./run";

void runAgent(async (request: NetworkRequest, previous: NetworkResponse | undefined) => {
  await withManager(request, (docker, io) => networkDown(docker, request.cluster, request.name, previous, io));
  return {};
});
