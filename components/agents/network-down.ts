import "../node/this";
import type { NetworkResponse } from "../networks/api";
import { networkDown } from "../networks/reconcile";
import { removeIfAnswered, withManager } from "./network";
import type { NetworkRequest } from "./request";
import { progress, runUndoing } from "./run";

async function down(request: NetworkRequest, previous: NetworkResponse | undefined): Promise<Record<string, never>> {
  const { cluster, name, keepUsed = false } = request;
  const what = `network ${name}`;
  const remove = (): Promise<void> => withManager(what, request, (docker, io) => networkDown(docker, cluster, name, previous, io, keepUsed));
  await removeIfAnswered({ what, command: `docker network rm ${name}` }, remove, (line) => progress(undefined, line));
  return {};
}

void runUndoing(down, ({ cluster }) => `SwarmCluster ${cluster}`);
