import type { PlannedHost } from "../hosts/host";
import type { Report } from "../report";
import { assignBlocks } from "./blocks";
import { Cidr } from "./cidr";
import { pinPath, type Pins, type PlannedSubnet } from "./subnets";

/** What each host gets a piece of. */
export interface PieceKind {
  /** First word of the blocks' owners: `tunnel` has `tunnel control`. */
  readonly owner: string;
  /** What the pieces are called, such as `tunnel addresses`. */
  readonly pieces: string;
  /** Prefix lengths of a group's block, and of a host's piece of it. */
  readonly blockPrefix: number;
  readonly piecePrefix: number;
  /** Whether the first and the last piece of a block are left out, as a network's own address and its broadcast are. */
  readonly withoutEnds: boolean;
  readonly purpose: (group: string) => string;
  readonly from: string;
  readonly routes: string;
  /** What to do when a group does not fit. */
  readonly fix: string;
}

export interface PlannedPieces {
  /** By host key. */
  readonly pieces: ReadonlyMap<string, Cidr>;
  readonly blocks: readonly PlannedSubnet[];
}

/** Each group has a block, and each host its number in it, or a place that follows from its name. */
export function planPieces(hosts: readonly PlannedHost[], space: Cidr, kind: PieceKind, pins: Pins, report: Report): PlannedPieces {
  const { owner, blockPrefix } = kind;
  const groups = new Map<string, PlannedHost[]>();
  for (const host of hosts) groups.set(host.group, [...(groups.get(host.group) ?? []), host]);
  const requests = [...groups.keys()].map((key) => ({ key, prefix: blockPrefix, pin: pins.take(`${owner} ${key}`, blockPrefix, blockPrefix) }));
  const assigned = assignBlocks(space, requests);
  for (const { key } of assigned.problems) {
    report(`hosts.${key}`, `the part of the address space for ${kind.pieces}, ${space}, has no block left for it`, "take a larger addressSpace");
  }
  const pieces = new Map<string, Cidr>();
  const blocks: PlannedSubnet[] = [];
  for (const [group, members] of groups) {
    const block = assigned.byKey.get(group);
    if (!block) continue;
    for (const [key, piece] of placesIn(block, group, members, kind, report)) pieces.set(key, piece);
    blocks.push({
      owner: `${owner} ${group}`,
      purpose: kind.purpose(group),
      cidr: block.toString(),
      from: kind.from,
      routes: kind.routes,
      pin: pinPath(`${owner} ${group}`),
      pinned: requests.some(({ key, pin }) => key === group && pin !== undefined),
    });
  }
  return { pieces, blocks };
}

function placesIn(block: Cidr, group: string, members: readonly PlannedHost[], kind: PieceKind, report: Report): [string, Cidr][] {
  const count = block.count(kind.piecePrefix);
  const room = kind.withoutEnds ? count - 2 : count;
  const piece = (place: number): Cidr => block.subnet(kind.piecePrefix, kind.withoutEnds ? place : place - 1);
  const numbered = members.filter(({ place }) => /^\d+$/.test(place));
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
  const named = members.filter((host) => !numbered.includes(host)).map(({ key }) => ({ key, prefix: kind.piecePrefix }));
  return [...fitting, ...assignBlocks(block, named, [...ends, ...fitting.map(([, taken]) => taken)]).byKey];
}
