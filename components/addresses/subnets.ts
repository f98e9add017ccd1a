import { nearestName } from "../nearest";
import type { Report } from "../report";
import { Cidr, isCidr, isPrivate } from "./cidr";

/** A network that the cluster's own must keep clear of. */
export interface Reserved {
  readonly network: Cidr;
  readonly what: string;
  /** Which of ours may lie there all the same, where the user pins them. */
  readonly owners?: readonly string[];
}

/** One part of the address space that has an owner. */
export interface PlannedSubnet {
  /** Who owns it, such as `network web` or `tunnel control`. */
  readonly owner: string;
  /** What it is for, in a few words. */
  readonly purpose: string;
  /** The range, in CIDR form. */
  readonly cidr: string;
  /** The block that contains it, or that it is pinned. */
  readonly from: string;
  /** Where packets for it go. */
  readonly routes: string;
  /** The argument that keeps it where it is, without the value. */
  readonly pin: string;
  /** Whether the user chose it. */
  readonly pinned: boolean;
}

/** Places that the user chose, by owner. What is wrong with one is reported, and the place is then not used. */
export class Pins {
  private readonly used = new Set<string>();

  constructor(
    private readonly pins: Readonly<Record<string, string>>,
    private readonly report: Report,
  ) {}

  /** @returns the pin of this owner, if there is a usable one of one of these prefix lengths. */
  take(owner: string, shortest: number, longest: number): Cidr | undefined {
    const text = this.pins[owner];
    if (text === undefined) return undefined;
    this.used.add(owner);
    const pin = Cidr.parse(text);
    const path = pinPath(owner);
    if (!isCidr(pin)) {
      this.report(path, pin.problem, pin.fix);
    } else if (pin.prefix < shortest || pin.prefix > longest) {
      this.report(
        path,
        `${pin} has another size than is needed here`,
        `give a prefix length ${shortest === longest ? `of ${shortest}` : `from ${shortest} to ${longest}`}`,
      );
    } else if (!isPrivate(pin)) {
      this.report(path, `${pin} are public addresses`, "take private space");
    } else {
      return pin;
    }
    return undefined;
  }

  /** To be called last: a pin that nobody asked for holds nothing in its place. */
  reportUnused(owners: readonly string[]): void {
    const known = owners.filter((owner) => owner !== "docker pool");
    for (const owner of Object.keys(this.pins)) {
      if (this.used.has(owner)) continue;
      const [, network] = /^network (.+)$/.exec(owner) ?? [];
      const meant = nearestName(owner, known);
      if (network !== undefined) {
        this.report(pinPath(owner), "networks are not pinned here", `write it as networks: { ${network}: { subnet: "${this.pins[owner]}" } }`);
      } else if (meant !== undefined) {
        this.report(pinPath(owner), `nothing of this name has an address; did you mean ${meant}?`, `write "${meant}"`);
      } else {
        this.report(pinPath(owner), "nothing of this name has an address", `pin one of: ${known.join(", ")}`);
      }
    }
  }
}

export function pinPath(owner: string): string {
  return `pins["${owner}"]`;
}

/** Nothing may lie on anything else, wherever it comes from. */
export function reportOverlaps(subnets: readonly PlannedSubnet[], reserved: readonly Reserved[], report: Report): void {
  const pieces = subnets.flatMap((subnet) => {
    const network = Cidr.parse(subnet.cidr);
    return isCidr(network) ? [{ network, what: subnet.owner, subnet }] : [];
  });
  const sorted = pieces.sort((a, b) => a.network.compare(b.network));
  // In the order of addresses, who overlaps anybody before also overlaps the one that reached furthest.
  let furthest = sorted[0];
  for (const piece of sorted.slice(1)) {
    if (furthest?.network.overlaps(piece.network)) {
      const [pinned, other] = piece.subnet.pinned ? [piece, furthest] : [furthest, piece];
      report(pinned.subnet.pin, `${pinned.network} overlaps ${other.network} of ${other.what}`, "choose a network that nothing else uses");
    }
    if (!furthest || piece.network.last > furthest.network.last) furthest = piece;
  }
  for (const { network, subnet } of sorted) {
    const clash =
      subnet.pinned && subnet.from !== "engine.settings"
        ? reserved.find((other) => other.owners?.includes(subnet.owner) !== true && other.network.overlaps(network))
        : undefined;
    if (clash) report(subnet.pin, `${network} overlaps ${clash.network}, ${clash.what}`, "choose a network that nothing else uses");
  }
}

/** An address that was in use and would be another one now. */
export interface Renumbering {
  readonly owner: string;
  readonly was: string;
  readonly would: string;
  readonly pin: string;
}

/** What an edit would move, compared with what was remembered. A pin is a decision of the user's, and no accident. */
export function renumbered(subnets: readonly PlannedSubnet[], remembered: Readonly<Record<string, string | undefined>>): Renumbering[] {
  return subnets.flatMap(({ owner, cidr, pin, pinned }) => {
    const was = remembered[owner];
    return was === undefined || was === cidr || pinned ? [] : [{ owner, was, would: cidr, pin }];
  });
}

/**
 * What an edit would move of what is in use, and so which pins keep all of it: what one of them keeps may push another
 * aside, so the plan is made again with them until nothing moves any more.
 *
 * @param plan With these places kept.
 * @param may Owners that may move.
 */
export function settleMoves(
  plan: (moves: readonly Renumbering[]) => readonly PlannedSubnet[],
  remembered: Readonly<Record<string, string | undefined>>,
  may: readonly string[],
): Renumbering[] {
  const found = new Map<string, Renumbering>();
  for (;;) {
    const more = renumbered(plan([...found.values()]), remembered).filter(({ owner }) => !found.has(owner) && !may.includes(owner));
    if (more.length === 0) return [...found.values()];
    for (const move of more) found.set(move.owner, move);
  }
}

/** @param what Such as `swarm cluster "prod"`. */
export function describeRenumbering(what: string, moves: readonly Renumbering[]): string {
  const count = moves.length === 1 ? "an address that is in use" : `${moves.length} addresses that are in use`;
  return [
    `The ${what} would move ${count}. Nothing was changed.`,
    ...moves.map(({ owner, was, would, pin }) => `  - ${owner}: from ${was} to ${would}. Fix: keep it with ${pin}: "${was}".`),
    `If it is meant to move, set renumber: ${JSON.stringify(moves.map(({ owner }) => owner))}.`,
  ].join("\n");
}
