import { isNot, show } from "./report";

/** The known name that is most like what was written; undefined where none is like it. */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const wanted = plain(written);
  const ranked = known
    .map((name) => ({ name, distance: edits(wanted, plain(name)), begins: begins(wanted, plain(name)) }))
    .filter(({ name, distance, begins }) => begins || distance <= Math.max(1, Math.floor(Math.max(wanted.length, name.length) / 4)))
    .sort((one, other) => one.distance - other.distance);
  return ranked[0]?.name;
}

function begins(one: string, other: string): boolean {
  return Math.min(one.length, other.length) >= 3 && (one.startsWith(other) || other.startsWith(one));
}

/** Letters to add, take out, change, or swap with the next one (the optimal string alignment distance). */
function edits(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const at = (up: number, left: number): number => (up === 0 ? current : (rows[row - up] ?? []))[column - left] ?? 0;
      current.push(Math.min(at(1, 0) + 1, at(0, 1) + 1, at(1, 1) + (same ? 0 : 1), swapped ? at(2, 2) + 1 : Infinity));
    }
    rows.push(current);
  }
  return rows[from.length]?.[to.length] ?? 0;
}

/** What an argument can be, where that is one of a few texts. */
export interface Choices {
  /** After "is not" and before "is missing", such as "a role". */
  readonly what: string;
  /** All that there are. */
  readonly known: readonly string[];
  /** Words of other tools for them, in small letters. @default - none */
  readonly others?: Readonly<Record<string, string>>;
  /** How one is written. @default - as a text in JSON */
  readonly written?: (choice: string) => string;
}

/** What is wrong with a value that is none of them, and what was probably meant. */
export function noneOf(given: unknown, { what, known, others = {}, written = show }: Choices): [message: string, fix: string] {
  const word = typeof given === "string" || typeof given === "boolean" ? String(given) : undefined;
  const meant = word === undefined ? undefined : (meantBy(word, others) ?? nearestName(word, known));
  const message = isNot(given, what);
  if (meant !== undefined) return [`${message}; did you mean ${written(meant)}?`, `write ${written(meant)}`];
  return [message, `write ${known.length > 3 ? "one of " : ""}${listed(known.map(written), known.length > 3 ? ", " : " or ")}`];
}

function meantBy(given: string, others: Readonly<Record<string, string>>): string | undefined {
  const word = given.trim().toLowerCase();
  return Object.hasOwn(others, word) ? others[word] : undefined;
}

function listed(words: readonly string[], last: string): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")}${last}${words.at(-1) ?? ""}`;
}
