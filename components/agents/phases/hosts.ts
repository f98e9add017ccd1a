import { checkPathMtu, pathsToTry } from "../../addresses/path-mtu";
import type { Failure } from "../../remote/each";
import type { ProtectRequest, RememberedHost, RequestHost } from "../request";
import { progress } from "../run";
import type { Guarded, PublicKeys } from "./protect";

/** Those on which nothing has failed so far. */
export function without<Host extends { readonly key: string }>(failures: readonly Failure[], hosts: readonly Host[]): Host[] {
  return hosts.filter(({ key }) => !failures.some(({ host }) => host === key));
}

/** What was planned by arithmetic is tried: a narrow path lets small packets through and swallows large ones. */
export async function checkMtu(request: ProtectRequest, hosts: readonly Guarded[], failures: Failure[]): Promise<void> {
  const own = hosts.map(({ key, host }) => ({ key, site: host.site, address: host.tunnelAddress ?? host.address }));
  const check = await checkPathMtu(pathsToTry(own), request.underlayMtu, new Map(hosts.map(({ key, session }) => [key, session])));
  failures.push(...check.failures);
  for (const note of check.notes) progress(undefined, `warning: ${note}`);
}

/** Of the last run. */
export function publicKeys(previous: { readonly hosts: Readonly<Record<string, RememberedHost>> } | undefined): PublicKeys {
  return Object.fromEntries(
    Object.entries(previous?.hosts ?? {}).flatMap(([key, { publicKey }]) => (publicKey === undefined ? [] : [[key, publicKey]])),
  );
}

/** What the next run is to know of a host. */
export function remembered({ key: _key, machine, connection, ...host }: RequestHost, publicKey: string | undefined): RememberedHost {
  // A provider that makes machines gives them ids of its own; a machine that stands already is known by its host key.
  const ownMachine = machine === connection.hostKey;
  return { ...host, connection, ...(ownMachine && { ownMachine }), ...(publicKey !== undefined && { publicKey }) };
}
