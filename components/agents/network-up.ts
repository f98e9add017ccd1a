import { networkUp } from "../networks/reconcile";
import { withManager } from "./network";
import type { NetworkRequest, NetworkResponse } from "./request";
import { runAgent } from "./run";

void runAgent(async (request: NetworkRequest): Promise<NetworkResponse> => {
  return withManager(request, async (docker, io) => ({ id: await networkUp(docker, request.cluster, request.name, request.spec, io) }));
});
