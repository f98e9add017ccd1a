import type { Report } from "../report";
import { assignBlocks } from "./blocks";
import { Cidr } from "./cidr";
import { pinPath, type Pins, type PlannedSubnet } from "./subnets";

/** Of a host, what decides where its piece lies. */
interface Numbered {
  readonly key: string;
  readonly group: string;
  /** Its number in the group, or the name that the user gave it. */
  readonly place: string;
}

/** What each host gets a piece of. */
export interface PieceKind {
  /** First word of the blocks' owners: `tunnel` has `tunnel control`. */
  readonly owner: string;
  /** What the pieces are called, such as `tunnel addresses`. */
  readonly pieces: string;
  /** Prefix lengths of a group's block, and of a host's piece of it. */
  readonly blockPrefix: number;
  readonly piecePrefix: number;
  /** Prefix lengths that a pinned block may have, shortest and longest: what is in use may be of another size than is usual now. */
  readonly pinPrefixes: readonly [number, number];
  /** Whether the first and the last piece of a block are left out, as a network's own address and its broadcast are. */
  readonly withoutEnds: boolean;
  readonly purpose: (group: string) => string;
  readonly from: string;
  readonly routes: string;
  /** What to do when a group does not fit. */
  readonly fix: string;
  /** What to do when no block is left for a group. @default - take a larger address space */
  readonly fixNoBlock?: string;
  /** What no block may lie on. @default - nothing */
  readonly taken?: readonly Cidr[];
}

export interface PlannedPieces {
  /** By host key. */
  readonly pieces: ReadonlyMap<string, Cidr>;
  readonly blocks: readonly PlannedSubnet[];
}

/** A block of a group, before it has a place. */
interface Ask {
  readonly group: string;
  /** The group's key for its first block, with a number for the others. */
  readonly key: string;
  readonly prefix: number;
  readonly pin?: Cidr | undefined;
  /** The number of the last host before those that are in it. */
  readonly after: number;
  readonly members: readonly Numbered[];
}

/** A single host as the owner of a piece, beside its group. A group's name has no space in it. */
export function hostOwner(kind: string, host: string): string {
  return `${kind} host ${host}`;
}

/**
 * Each group has a block, and each host the piece that is pinned for it, or its number in the block, or a place that follows from its name. A group whose numbers go on after the
 * block's end has a further block for them, so that it can grow while nothing of it moves.
 */
export function planPieces(hosts: readonly Numbered[], space: Cidr, kind: PieceKind, pins: Pins, report: Report): PlannedPieces {
  const groups = new Map<string, Numbered[]>();
  for (const host of hosts) groups.set(host.group, [...(groups.get(host.group) ?? []), host]);
  const pinned = pinnedPieces(hosts, space, kind, pins, report);
  const asks = [...groups].flatMap(([group, members]) => asksOf(group, members, space, kind, pins));
  const further = asks.filter(({ group, key }) => key !== group);
  // No further block may push a first one aside.
  const kept = further.flatMap(({ pin }) => pin ?? []);
  // Two pins on one place are told as such.
  const taken = (kind.taken ?? []).filter((one) => !asks.some(({ pin }) => pin?.overlaps(one)));
  const first = assignBlocks(
    space,
    asks.filter((ask) => !further.includes(ask)),
    [...kept, ...taken],
  );
  const second = assignBlocks(space, further, [...first.byKey.values(), ...taken]);
  for (const { key } of first.problems) {
    report(
      `hosts.${key}`,
      `the part of the address space for ${kind.pieces}, ${space}, has no block left for it`,
      kind.fixNoBlock ?? "take a larger addressSpace",
    );
  }
  for (const group of groups.keys()) {
    const wanted = asks.filter((ask) => ask.group === group);
    const without = wanted[wanted.filter(({ key }) => first.byKey.has(key) || second.byKey.has(key)).length];
    if (without && first.byKey.has(group)) reportNoFurther(without, space, kind, report);
  }
  const pieces = new Map<string, Cidr>();
  const blocks: PlannedSubnet[] = [];
  for (const { group, key, after, members, pin } of asks) {
    const block = first.byKey.get(key) ?? second.byKey.get(key);
    if (!block) continue;
    const near = members.map((host) => (after === 0 ? host : { ...host, place: String(Number(host.place) - after) }));
    for (const [host, piece] of placesIn(block, group, near, { ...kind, pinned }, report)) pieces.set(host, piece);
    blocks.push({
      owner: `${kind.owner} ${key}`,
      purpose: kind.purpose(group),
      cidr: block.toString(),
      from: kind.from,
      routes: kind.routes,
      pin: pinPath(`${kind.owner} ${key}`),
      pinned: pin !== undefined,
    });
  }
  return { pieces, blocks };
}

/** At most as many as there are places for: more are asked for in vain. */
function asksOf(group: string, members: readonly Numbered[], space: Cidr, kind: PieceKind, pins: Pins): Ask[] {
  const last = Math.max(0, ...members.filter(isNumbered).map(({ place }) => Number(place)));
  const asks: Ask[] = [];
  for (let [number, after] = [1, 0]; number === 1 || (after < last && asks.length <= space.count(kind.blockPrefix)); number++) {
    // A letter that no group's key has: the key is part of a resource's name.
    const key = number === 1 ? group : `${group} Block ${number}`;
    const pin = pins.take(`${kind.owner} ${key}`, ...kind.pinPrefixes);
    const prefix = pin?.prefix ?? kind.blockPrefix;
    const from = after;
    after += roomOf(2 ** (kind.piecePrefix - prefix), kind);
    const inside = members.filter((host) => (isNumbered(host) ? Number(host.place) > from && Number(host.place) <= after : number === 1));
    if (number === 1 || inside.length > 0) asks.push({ group, key, prefix, pin, after: from, members: inside });
  }
  return asks;
}

function isNumbered({ place }: Numbered): boolean {
  return /^\d+$/.test(place);
}

function roomOf(count: number, { withoutEnds }: PieceKind): number {
  return withoutEnds ? count - 2 : count;
}

function reportNoFurther({ group, after, prefix }: Ask, space: Cidr, { pieces }: PieceKind, report: Report): void {
  report(
    `hosts.${group}`,
    `its hosts from number ${after + 1} on need a further block of ${pieces}, a /${prefix}, and the part of the address space for them, ${space}, has none left`,
    `keep the numbers of the group to ${after}, or take another cluster for the others`,
  );
}

/** Pieces of single hosts, such as those of hosts that had another name or group before. They may lie in any block. */
function pinnedPieces(hosts: readonly Numbered[], space: Cidr, { owner, piecePrefix }: PieceKind, pins: Pins, report: Report): Map<string, Cidr> {
  const pinned = new Map<string, Cidr>();
  for (const { key } of hosts) {
    const pin = pins.take(hostOwner(owner, key), piecePrefix, piecePrefix);
    if (!pin) continue;
    const other = [...pinned].find(([, piece]) => piece.overlaps(pin))?.[0];
    const path = pinPath(hostOwner(owner, key));
    if (other !== undefined) report(path, `${pin} is pinned for ${other} too`, "give each host one of its own");
    else if (!space.contains(pin)) report(path, `${pin} is not in ${space}, the part of the address space that it is for`, "take a piece of that");
    else pinned.set(key, pin);
  }
  return pinned;
}

interface PinnedKind extends PieceKind {
  readonly pinned: ReadonlyMap<string, Cidr>;
}

function placesIn(block: Cidr, group: string, members: readonly Numbered[], kind: PinnedKind, report: Report): [string, Cidr][] {
  const { pinned } = kind;
  const count = block.count(kind.piecePrefix);
  const room = roomOf(count, kind);
  const piece = (place: number): Cidr => block.subnet(kind.piecePrefix, kind.withoutEnds ? place : place - 1);
  const own = members.flatMap(({ key }): [string, Cidr][] => {
    const pin = pinned.get(key);
    return pin ? [[key, pin]] : [];
  });
  const free = members.filter(({ key }) => !pinned.has(key));
  const numbered = free.filter(isNumbered);
  const beyond = numbered.filter(({ place }) => Number(place) > room);
  if (beyond.length > 0 || members.length > room) {
    report(
      `hosts.${group}`,
      `its block ${block} of ${kind.pieces} holds ${room} hosts; ${Math.max(beyond.length, members.length - room)} of its hosts do not fit`,
      kind.fix,
    );
  }
  const fitting = numbered.filter((host) => !beyond.includes(host)).map(({ key, place }): [string, Cidr] => [key, piece(Number(place))]);
  const ends = kind.withoutEnds ? [block.subnet(kind.piecePrefix, 0), block.subnet(kind.piecePrefix, count - 1)] : [];
  for (const [key, place] of fitting) {
    const other = [...pinned].find(([, pin]) => pin.overlaps(place))?.[0];
    if (other !== undefined) report(pinPath(hostOwner(kind.owner, other)), `${place} is the piece of ${key}`, `pin another one for ${key} too`);
  }
  const named = free.filter((host) => !numbered.includes(host)).map(({ key }) => ({ key, prefix: kind.piecePrefix }));
  const taken = [...ends, ...pinned.values(), ...fitting.map(([, place]) => place)];
  return [...own, ...fitting, ...assignBlocks(block, named, taken).byKey];
}
