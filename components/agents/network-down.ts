import type { NetworkResponse } from "../networks/api";
import { networkDown } from "../networks/reconcile";
import { withManager } from "./network";
import type { NetworkRequest } from "./request";
import { runAgent } from "./run";

void runAgent(async (request: NetworkRequest, previous: NetworkResponse | undefined) => {
  await withManager(request, (docker, io) => networkDown(docker, request.cluster, request.name, previous, io));
  return {};
});
