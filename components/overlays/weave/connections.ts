import type { Failure } from "../../remote/each";

/** One line of a router's own list. */
export interface Connection {
  /** Of the other router, with the port. */
  readonly address: string;
  /** `established` is all that carries data. */
  readonly state: string;
  readonly info: string;
}

/** `-> 10.0.0.2:6783 failed Unable to decrypt TCP msg, retry: 2026-…` */
export function parseConnection(line: string): Connection | undefined {
  const [, address, state, info] = /^(?:<-|->) (\S+) (\S+) ?(.*)$/.exec(line.trim()) ?? [];
  if (address === undefined || state === undefined) return undefined;
  return { address, state, info: (info ?? "").replace(/,? retry: .*$/, "").trim() };
}

interface Router {
  readonly key: string;
  readonly name: string;
  readonly address: string;
}

/** A router that is not connected to others. */
export interface Apart {
  readonly host: string;
  /** Keys of the others' hosts. */
  readonly peers: readonly string[];
  readonly why: string;
}

/** Who is not connected to whom after so long, as a failure of one of both. */
export function blame(routers: readonly Router[], seen: ReadonlyMap<string, readonly Connection[]>, seconds: number): Failure[] {
  return apartIn(routers, seen).map(({ host, peers, why }) => ({
    host,
    reason: `Weave's router is not connected to ${peers.length === 1 ? "that" : "those"} of ${peers.join(", ")} after ${seconds} s: ${why}`,
  }));
}

/**
 * Who is not connected to whom, and why. A pair is the fault of the one that has trouble with most others, since the same pair is
 * seen from both ends.
 *
 * @param seen what the routers that were asked see.
 */
export function apartIn(routers: readonly Router[], seen: ReadonlyMap<string, readonly Connection[]>): readonly Apart[] {
  const broken = routers.flatMap((one) => {
    const connections = seen.get(one.key);
    if (!connections) return [];
    return routers
      .filter((other) => other.key !== one.key && !isConnected(connections, other))
      .map((other) => ({ pair: [one, other].sort(byKey), reason: why(connections, other) }));
  });
  const trouble = (key: string): number => new Set(broken.filter(({ pair }) => pair.some((one) => one.key === key)).map(({ pair }) => id(pair))).size;
  // Both ends may have a word for it; the one that knows most is told.
  const told = new Map<string, { readonly pair: readonly Router[]; readonly reason: Reason }>();
  for (const { pair, reason } of broken) {
    const other = told.get(id(pair))?.reason;
    if (!other || reason.weight > other.weight) told.set(id(pair), { pair, reason });
  }
  const faults = new Map<string, { readonly reasons: Set<string>; readonly peers: string[] }>();
  for (const { pair, reason } of told.values()) {
    const [culprit, peer] = [...pair].sort((a, b) => trouble(b.key) - trouble(a.key) || byKey(a, b)) as [Router, Router];
    const fault = faults.get(culprit.key) ?? { reasons: new Set(), peers: [] };
    fault.reasons.add(reason.text);
    fault.peers.push(peer.key);
    faults.set(culprit.key, fault);
  }
  return [...faults]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, { reasons, peers }]) => ({ host, peers: peers.sort(), why: [...reasons].join("; ") }));
}

function isConnected(connections: readonly Connection[], { name }: Router): boolean {
  return connections.some(({ state, info }) => state === "established" && info.includes(`${name}(`));
}

interface Reason {
  readonly text: string;
  /** How much it tells. */
  readonly weight: number;
}

const refusal = /Unable to decrypt|password/;

function why(connections: readonly Connection[], { name, address }: Router): Reason {
  const lines = connections.filter((one) => one.info.includes(`${name}(`) || one.address.startsWith(`${address}:`));
  const { state = "", info = "" } = lines.find((one) => refusal.test(one.info)) ?? lines[0] ?? {};
  if (refusal.test(info)) {
    const which = info.includes("Unable to decrypt") ? "they have another password than it has" : "only one side has a password";
    return { text: `${which}, so they refuse each other (a run that reaches all of them gives all the same one)`, weight: 3 };
  }
  if (info.includes("refused")) return { text: `nothing listens there on 6783/tcp (${info})`, weight: 2 };
  if (state === "pending") return { text: "6783/udp does not get through in both directions", weight: 2 };
  if (info !== "") return { text: `6783/tcp does not get through, it says: ${info}`, weight: 1 };
  return { text: "it says nothing of it", weight: 0 };
}

function id(pair: readonly Router[]): string {
  return pair.map(({ key }) => key).join(" ");
}

function byKey(a: Router, b: Router): number {
  return a.key < b.key ? -1 : 1;
}
