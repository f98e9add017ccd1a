import { removeFirewall } from "../../firewall/apply";
import type { FirewallHost } from "../../firewall/rule";
import { lowerMesh } from "../../underlay/wireguard/apply";
import { type Failure, onEach } from "../../remote/each";
import type { Fleet, ReachedHost } from "../fleet";
import { disown, ownedByOthers, type OwnedPart, type OwnerNames } from "../../owner";
import type { ProtectRequest, RememberedHost, RequestHost, SwarmResponseHost } from "../request";
import { progress } from "../run";

/** A host that was asked for last time and is not any more. Until it has left, the others must still let it in. */
export interface Departing {
  readonly key: string;
  readonly host: FirewallHost & { readonly containerSubnet?: string };
  /** Undefined where it no longer answers: then the managers strike it off. */
  readonly reached?: ReachedHost;
}

/** What any of our programs remembers of a host. */
type Remembered = RememberedHost & Partial<Omit<SwarmResponseHost, keyof RememberedHost>>;

export async function reachDeparting(
  fleet: Fleet,
  request: { readonly hosts: readonly RequestHost[] },
  previous: { readonly hosts: Readonly<Record<string, Remembered>> } | undefined,
): Promise<Departing[]> {
  const desired = new Set(request.hosts.map(({ key }) => key));
  const leaving = Object.entries(previous?.hosts ?? {}).filter(([key, host]) => !desired.has(key) && !hasAnotherName(host, request.hosts));
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

/** Whether a machine is asked for under another name now: then nothing leaves, and nothing on it may be taken away. */
function hasAnotherName({ connection, address }: Remembered, hosts: readonly RequestHost[]): boolean {
  return hosts.some(
    (host) => host.connection.hostKey === connection.hostKey && (host.connection.host === connection.host || host.address === address),
  );
}

/** Leaves a host as it was found, but for what is another owner's. */
export async function release(
  hosts: readonly ReachedHost[],
  { tunnel }: Pick<ProtectRequest, "tunnel">,
  parts: readonly OwnedPart[],
  owner: OwnerNames,
  failures: Failure[],
): Promise<void> {
  const kept = await onEach(hosts, failures, ({ session }) => ownedByOthers(session, ["firewall", "tunnel"], owner));
  const free = (part: OwnedPart): ReachedHost[] => hosts.filter(({ key }) => parts.includes(part) && kept.get(key)?.includes(part) === false);
  if (tunnel && free("tunnel").length > 0) failures.push(...(await lowerMesh(free("tunnel"), { progress })).failures);
  await onEach(free("firewall"), failures, ({ key, session }) => removeFirewall(session, (line) => progress(key, line)));
  await onEach(hosts, failures, ({ session }) => disown(session, parts, owner));
}
