import type { PlannedName } from "./name";
import type { Report } from "../report";

/** Two things of a plan that would have a resource of one name. */
export interface SameName {
  readonly one: PlannedName;
  readonly other: PlannedName;
}

/** Pairs of things, each once, however many of their resources would be named alike: what is renamed for one of them is renamed for all. */
export function sameNames(names: readonly PlannedName[]): SameName[] {
  const taken = new Map<string, PlannedName>();
  const found = new Map<string, SameName>();
  for (const name of names) {
    const key = nameKey(name);
    const before = taken.get(key);
    if (before === undefined) taken.set(key, name);
    else if (before.of !== name.of) {
      const pair = JSON.stringify(before.path === name.path ? [before.of, name.of] : [before.path, name.path].sort());
      if (!found.has(pair)) found.set(pair, { one: before, other: name });
    }
  }
  return [...found.values()];
}

/** Pulumi tells resources apart by their types, those of the components around them, and their names. */
export function nameKey({ type, name }: PlannedName): string {
  return `${type} ${name}`;
}

/**
 * Reports things of one plan whose resources would have one name: Pulumi would refuse the second one with "Duplicate resource URN"
 * when others are made.
 */
export function reportSameNames(names: readonly PlannedName[], report: Report): void {
  for (const { one, other } of sameNames(names)) {
    const message = `${other.of} and ${one.of} would both have a resource named ${shown(one.name)}, and there can be only one of that name`;
    report(other.path, message, other.fix ?? one.fix ?? renameOne);
  }
}

/** What exists keeps its name: another one would replace it. */
export const renameOne = "rename one of them, but not one that is deployed already";

/** A plan does not know the name of its cluster, which is in front of all names. */
function shown(name: string): string {
  return name.startsWith("-") ? `"…${name}"` : `"${name}"`;
}
