import { networkDown } from "../networks/reconcile";
import { withManager } from "./network";
import type { NetworkRequest } from "./request";
import { runAgent } from "./run";

void runAgent(async (request: NetworkRequest) => {
  await withManager(request, (docker, io) => networkDown(docker, request.cluster, request.name, io));
  return {};
});
