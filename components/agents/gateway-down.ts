import "../node/this";
import type { GatewayResponse } from "../gateways/api";
import { gatewayDown } from "../gateways/reconcile";
import { removeIfAnswered, withManager } from "./network";
import type { GatewayRequest } from "./request";
import { progress, runUndoing } from "./run";

async function down(request: GatewayRequest, previous: GatewayResponse | undefined): Promise<Record<string, never>> {
  const what = `gateway ${request.name}`;
  const remove = (): Promise<void> => withManager(what, request, (docker, io) => gatewayDown(docker, request, previous, io));
  await removeIfAnswered({ what, command: `docker service rm ${request.name}` }, remove, (line) => progress(undefined, line));
  return {};
}

void runUndoing(down, ({ cluster }) => `SwarmCluster ${cluster}`);
