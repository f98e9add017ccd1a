import { releaseEngine } from "../../engine";
import { forgetMaintenance } from "../../maintenance";
import { removeFirewall } from "../../firewall/apply";
import type { FirewallHost } from "../../firewall/rule";
import { lowerMesh } from "../../underlay/wireguard/apply";
import type { Connection } from "../../remote/connection";
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
  /** Why it was not reached. */
  readonly reason?: string;
  readonly ownMachine: boolean;
  readonly struckOff: boolean;
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
  const failures: Failure[] = [];
  const reached = await onEach(
    leaving.map(([key, { connection }]) => ({ key, connection: withKey(connection, request.hosts) })),
    failures,
    ({ key, connection }) => fleet.reach(key, connection, 10),
  );
  return leaving.map(([key, remembered]) => {
    const {
      nodeId: _node,
      engine: _engine,
      connection: _connection,
      publicKey: _key,
      maintained: _done,
      ownMachine = false,
      struckOff = false,
      ...host
    } = remembered;
    const answers = reached.get(key);
    const reason = failures.find((failure) => failure.host === key)?.reason;
    return { key, host: { key, ...host }, ownMachine, struckOff, ...(answers && { reached: answers }), ...(reason !== undefined && { reason }) };
  });
}

/** Whether a machine is asked for under another name now: then nothing leaves, and nothing on it may be taken away. */
function hasAnotherName({ connection, address }: Remembered, hosts: readonly RequestHost[]): boolean {
  return hosts.some(
    (host) => host.connection.hostKey === connection.hostKey && (host.connection.host === connection.host || host.address === address),
  );
}

/** Version 0.1.0 kept no key of a host: one of those that stay may open it. */
export function withKey(connection: Connection, hosts: readonly Pick<RequestHost, "connection">[]): Connection {
  if (connection.privateKey !== undefined || connection.agentSocket !== undefined) return connection;
  const other = hosts.map((host) => host.connection).find(({ privateKey }) => privateKey !== undefined);
  if (other?.privateKey === undefined) return connection;
  return { ...connection, privateKey: other.privateKey, ...(other.passphrase !== undefined && { passphrase: other.passphrase }) };
}

/** What an operator has to know of a host that left and could not be reached, and what to do. */
export function warnOfUncleaned({ key, reason = "" }: Departing, parts: readonly string[]): void {
  progress(
    key,
    `warning: it left, but could not be reached to be cleaned: ${reason.replace(`${key}: `, "")} Still on it: ${parts.join(", ")}. ` +
      `It stays remembered, and each run tries again. If the machine is no more, write membership: { forget: ["${key}"] }`,
  );
}

/** As if they did not answer where another owner has put an overlay there since: the others forget them, and it stays. */
export async function sparingOthers(gone: readonly Departing[], owner: OwnerNames, failures: Failure[]): Promise<Departing[]> {
  const answering = gone.flatMap(({ reached }) => reached ?? []);
  const kept = await onEach(answering, failures, ({ session }) => ownedByOthers(session, ["overlay"], owner));
  return gone.map(({ reached, ...host }) => ({ ...host, ...(reached && kept.get(host.key)?.length === 0 && { reached }) }));
}

/** Leaves a host as it was found, but for what is another owner's. Of a cluster's hosts, apt may change Docker's packages again. */
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
  if (parts.includes("overlay")) {
    const unclaimed = hosts.filter(({ key }) => kept.get(key)?.length === 0);
    await onEach(unclaimed, failures, async ({ session }) => {
      await releaseEngine(session);
      await forgetMaintenance(session);
    });
  }
  await onEach(hosts, failures, ({ session }) => disown(session, parts, owner));
}
