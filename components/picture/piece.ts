/** What becomes of a thing, where a picture shows an edit. */
export type Change = "same" | "new" | "changed" | "gone";

/** What shows a change to those who see no colours. */
export const signs: Readonly<Record<Change, string>> = { same: "", new: "+ ", changed: "~ ", gone: "− " };

export type Kind = "manager" | "worker" | "opening" | "world" | "rule" | "network" | "internal" | "program" | "protected" | "bare";

/** One thing of a cluster, as it is put into words: what pictures show and compare. */
export interface Piece {
  /** The same before and after an edit, and no other piece of its list has it. */
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  /** The second line. */
  readonly says: string;
  /** All that is known of it, for who points at it. */
  readonly tip: string;
  readonly change: Change;
  /** Of a host, where it is known. */
  readonly group?: string;
  /** Where it is changed: what it was. */
  readonly was?: Unmarked;
}

export type Unmarked = Omit<Piece, "change" | "was">;

/**
 * Pieces of before and after in one list. A piece is changed when anything differs that is said of it, and then it tells what it
 * was; one that is gone stays at its place.
 *
 * @param before Undefined where no edit is shown: then nothing is marked.
 */
export function merged(after: readonly Unmarked[], before: readonly Unmarked[] | undefined): Piece[] {
  if (before === undefined) return after.map((piece) => ({ ...piece, change: "same" }));
  const [was, is] = [before, after].map((all) => new Map(all.map((piece) => [piece.id, piece]))) as [Map<string, Unmarked>, Map<string, Unmarked>];
  const ids = byPlace([...was.keys()], [...is.keys()]);
  return ids.flatMap((id): Piece[] => {
    const [old, now] = [was.get(id), is.get(id)];
    if (now === undefined) return old === undefined ? [] : [{ ...old, change: "gone" }];
    if (old === undefined) return [{ ...now, change: "new" }];
    return [alike(old, now) ? { ...now, change: "same" } : { ...now, tip: `${now.tip} (was: ${old.tip})`, change: "changed", was: old }];
  });
}

function alike(a: Unmarked, b: Unmarked): boolean {
  return a.kind === b.kind && a.name === b.name && a.says === b.says && a.tip === b.tip;
}

/** Both lists in one, each in its own order: what is only in the first comes after what it came after there. */
function byPlace(first: readonly string[], second: readonly string[]): string[] {
  const shared = new Set(second);
  const all: string[] = [];
  let next = 0;
  for (const id of first) {
    if (!shared.has(id)) {
      all.push(id);
      continue;
    }
    const place = second.indexOf(id, next);
    if (place < 0) continue;
    all.push(...second.slice(next, place + 1));
    next = place + 1;
  }
  return [...all, ...second.slice(next)];
}
