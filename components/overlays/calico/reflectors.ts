import type { PlannedHost } from "../../hosts/host";

/** With more hosts, sessions between each two of them are more than they need. */
export const mostMeshed = 32;

/** So many sessions of each host, if the user asks for them. */
export const mostSessions = 100;

/** Who tells whom of routes. */
export interface Telling {
  /** Each host has a session with every other one, and tells its own subnet alone. */
  readonly meshed: boolean;
  /** Keys of hosts. Where `meshed` is false, they tell all others what they have heard, and the others have sessions with these alone. */
  readonly reflectors: readonly string[];
}

type Candidate = Pick<PlannedHost, "key" | "role" | "site" | "zone">;

/**
 * In a small cluster all tell each other, and in a large one two managers tell all: two, since the others lose all routes with the last
 * one. They are chosen in a small cluster too, so that no session has to end when it grows. The same hosts give the same two.
 */
export function chooseTelling(hosts: readonly Candidate[], asked?: readonly string[]): Telling {
  if (asked !== undefined) return { meshed: asked.length === 0, reflectors: asked };
  const managers = hosts.filter(({ role }) => role === "manager").sort((one, other) => (one.key < other.key ? -1 : 1));
  const [first, ...rest] = managers;
  const second = rest.find(({ site }) => site !== first?.site) ?? rest.find(({ zone }) => zone !== undefined && zone !== first?.zone) ?? rest[0];
  return { meshed: hosts.length <= mostMeshed, reflectors: [first, second].flatMap((host) => host?.key ?? []) };
}

/** A host with which another one has a session. */
export interface Session<Host> {
  readonly peer: Host;
  /** The peer tells what it has heard from others, not only what is its own. */
  readonly tellsAll: boolean;
  /** The peer may be told what this host has heard from others. A session ends when this changes. */
  readonly client: boolean;
}

/** The sessions of one host. */
export function sessionsOf<Host extends { readonly key: string }>(
  self: Host,
  hosts: readonly Host[],
  { meshed, reflectors }: Telling,
): Session<Host>[] {
  const reflects = (host: Host): boolean => reflectors.includes(host.key);
  return hosts
    .filter(({ key }) => key !== self.key)
    .filter((peer) => meshed || reflects(self) || reflects(peer))
    .map((peer) => ({ peer, tellsAll: !meshed && reflects(peer), client: reflects(self) && !reflects(peer) }));
}

/**
 * The same, and those that the host has now, by their keys. While a cluster goes from one way of telling to the other, for as long as not
 * all hosts have the new one: so no route is lost.
 */
export function sessionsMeanwhile<Host extends { readonly key: string }>(
  self: Host,
  hosts: readonly Host[],
  telling: Telling,
  now: readonly string[],
): Session<Host>[] {
  const wanted = sessionsOf(self, hosts, telling);
  const kept = hosts.filter(({ key }) => key !== self.key && now.includes(key) && !wanted.some(({ peer }) => peer.key === key));
  return [...wanted, ...kept.map((peer) => ({ peer, tellsAll: false, client: false }))];
}
