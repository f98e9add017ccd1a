import "../node/this";
import type { NetworkResponse } from "../networks/api";
import { networkUp } from "../networks/reconcile";
import { withManager } from "./network";
import type { NetworkRequest } from "./request";
import { runAgent } from "./run";

void runAgent(async (request: NetworkRequest, previous: NetworkResponse | undefined): Promise<NetworkResponse> => {
  return withManager(`network ${request.name}`, request, (docker, io) =>
    networkUp(docker, request.cluster, request.name, request.spec, previous, io),
  );
});
