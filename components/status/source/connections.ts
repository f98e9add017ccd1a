import { hostKeyProblemOf } from "../../remote/host-key";
import type { Connection } from "../../remote/connection";
import { type Fields, isFields, jsonOf, NoTarget, type Target, type TargetHost } from "./target";

const what = 'what "pulumi stack output NAME --show-secrets --json" prints of the cluster\'s connections, or one connection';

/**
 * A cluster of which only connections are known: by host, as `SwarmCluster` has them in `connections`, or one of a manager.
 *
 * @param by How the file is called.
 * @throws NoTarget
 */
export function targetOfConnections(text: string, by: string): Target {
  const given = jsonOf(text);
  if (!isFields(given)) throw new NoTarget(`There are no connections in it: it is no JSON object. Fix: give ${what}`);
  const named: readonly (readonly [string, unknown])[] = "host" in given ? [[String(given["host"]), given]] : Object.entries(given);
  if (named.length === 0) throw new NoTarget(`There are no connections in it. Fix: give ${what}`);
  return { cluster: "swarm", by, hosts: named.map(([key, connection]) => hostOf(key, connection)), networks: [] };
}

function hostOf(key: string, connection: unknown): TargetHost {
  const shown = JSON.stringify(key);
  if (!isFields(connection) || typeof connection["host"] !== "string")
    throw new NoTarget(`${shown} is no connection: it has no host to connect to. Fix: give ${what}`);
  const { hostKey } = connection;
  const problem = typeof hostKey === "string" ? hostKeyProblemOf(hostKey) : { message: "no host key is pinned" };
  if (problem)
    throw new NoTarget(`The connection ${shown} cannot be used: ${problem.message}. Fix: ${problem.fix ?? "put the host's public key into hostKey"}`);
  if (!hasLogin(connection))
    throw new NoTarget(`The connection ${shown} has neither privateKey nor agentSocket to log in with. Fix: add one of them`);
  return { key, connection: connection as unknown as Connection };
}

function hasLogin({ privateKey, agentSocket }: Fields): boolean {
  return typeof privateKey === "string" || typeof agentSocket === "string";
}
