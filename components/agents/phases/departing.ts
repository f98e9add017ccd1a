import { removeFirewall } from "../../firewall/apply";
import type { FirewallHost } from "../../firewall/rule";
import { lowerMesh } from "../../underlay/wireguard/apply";
import { type Failure, onEach } from "../../remote/each";
import type { Fleet, ReachedHost } from "../fleet";
import type { SwarmRequest, SwarmResponse } from "../request";
import { progress } from "../run";

/** A host that was asked for last time and is not any more. Until it has left, the others must still let it in. */
export interface Departing {
  readonly key: string;
  readonly host: FirewallHost & { readonly containerSubnet?: string };
  /** Undefined where it no longer answers: then the managers strike it off. */
  readonly reached?: ReachedHost;
}

export async function reachDeparting(fleet: Fleet, request: SwarmRequest, previous: SwarmResponse | undefined): Promise<Departing[]> {
  const desired = new Set(request.hosts.map(({ key }) => key));
  const leaving = Object.entries(previous?.hosts ?? {}).filter(([key]) => !desired.has(key));
  const keys = request.hosts.map(({ connection }) => connection).find(({ privateKey }) => privateKey !== undefined);
  const reached = await onEach(
    leaving.map(([key, host]) => ({ key, host })),
    [],
    async ({ key, host }) => {
      const secrets = keys && { ...(keys.privateKey && { privateKey: keys.privateKey }), ...(keys.passphrase && { passphrase: keys.passphrase }) };
      return fleet.reach(key, { ...host.connection, ...secrets }, 10);
    },
  );
  return leaving.map(([key, { nodeId: _node, engine: _engine, connection: _connection, publicKey: _key, ...host }]) => {
    const answers = reached.get(key);
    return { key, host: { key, ...host }, ...(answers && { reached: answers }) };
  });
}

/** Leaves a host that has left the swarm as it was found. */
export async function release(hosts: readonly ReachedHost[], { tunnel }: SwarmRequest, failures: Failure[]): Promise<void> {
  if (hosts.length === 0) return;
  if (tunnel) failures.push(...(await lowerMesh(hosts, { progress })).failures);
  await onEach(hosts, failures, ({ key, session }) => removeFirewall(session, (line) => progress(key, line)));
}
