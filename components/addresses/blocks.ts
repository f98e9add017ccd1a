import { createHash } from "node:crypto";
import { Cidr } from "./cidr";

export interface BlockRequest {
  readonly key: string;
  /** Prefix length of the block. */
  readonly prefix: number;
  /** A place that the user chose. It must not overlap another block; it may lie outside the space. */
  readonly pin?: Cidr | undefined;
}

export interface BlockProblem {
  readonly key: string;
  readonly message: string;
  readonly fix: string;
}

export interface Blocks {
  readonly byKey: ReadonlyMap<string, Cidr>;
  readonly problems: readonly BlockProblem[];
}

/**
 * Gives every key a block of the space, at a place that follows from the key's own name and never from its position
 * in a list: adding or removing another key leaves it where it is. Two keys whose names fall on the same place are
 * told apart by the alphabet; that is the one case where a new key could take an old one's place, and a pin rules it out.
 */
export function assignBlocks(space: Cidr, requests: readonly BlockRequest[], taken: readonly Cidr[] = []): Blocks {
  const byKey = new Map<string, Cidr>();
  const problems: BlockProblem[] = [];
  const used: { readonly owner: string; readonly block: Cidr }[] = taken.map((block) => ({ owner: "an address in use", block }));
  const place = (key: string, block: Cidr): void => {
    byKey.set(key, block);
    used.push({ owner: key, block });
  };
  const sorted = [...requests].sort((a, b) => (a.key < b.key ? -1 : 1));

  for (const { key, pin } of sorted) {
    if (!pin) continue;
    const clash = used.find(({ block }) => block.overlaps(pin));
    if (clash) {
      problems.push({ key, message: `${pin} overlaps ${clash.block} of ${clash.owner}`, fix: "choose a network that nothing else uses" });
    } else {
      place(key, pin);
    }
  }
  // Where one finds no place, no other of its size does: a thousand need not look.
  const full = new Set<number>();
  for (const { key, prefix, pin } of sorted) {
    if (pin) continue;
    const block = full.has(prefix) ? undefined : firstFree(space, key, prefix, used);
    if (block) place(key, block);
    else {
      full.add(prefix);
      const asked = sorted.reduce((sum, request) => sum + 2 ** (32 - request.prefix), 0);
      const wanted = Math.max(0, 32 - Math.ceil(Math.log2(asked)));
      problems.push({
        key,
        message: `no /${prefix} is left for it in ${space}`,
        fix: `take an address space in which this part is a /${Math.min(wanted, space.prefix - 1)} or larger, or ask for smaller subnets`,
      });
    }
  }
  return { byKey, problems };
}

function firstFree(space: Cidr, key: string, prefix: number, used: readonly { readonly block: Cidr }[]): Cidr | undefined {
  const places = space.count(prefix);
  if (places === 0) return undefined;
  const start = createHash("sha256").update(key).digest().readUInt32BE(0) % places;
  for (let step = 0; step < places; step++) {
    const candidate = space.subnet(prefix, (start + step) % places);
    if (!used.some(({ block }) => block.overlaps(candidate))) return candidate;
  }
  return undefined;
}
