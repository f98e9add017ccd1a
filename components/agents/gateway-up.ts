import "../node/this";
import type { GatewayResponse } from "../gateways/api";
import { gatewayUp } from "../gateways/reconcile";
import { withManager } from "./network";
import type { GatewayRequest } from "./request";
import { runAgent } from "./run";

void runAgent(async (request: GatewayRequest, previous: GatewayResponse | undefined): Promise<GatewayResponse> => {
  return withManager(`gateway ${request.name}`, request, (docker, io) => gatewayUp(docker, request, request.spec, previous, io));
});
