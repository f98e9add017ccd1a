/** Numbers of a version such as `26.1.5+dfsg1`, or of a prefix such as `28`. None for a build without a version stamp. */
export function versionNumbers(version: string): readonly number[] | undefined {
  const numbers = /^\d+(\.\d+){0,2}(?!\w)/.exec(version)?.[0];
  return numbers?.split(".").map(Number);
}

/** Whether every version with this prefix is older. `24` may still be 24.0.9, so it is not older than 24.0.3. */
export function isOlder(prefix: readonly number[], than: readonly number[]): boolean {
  for (const [index, number] of than.entries()) {
    const own = prefix[index];
    if (own === undefined || own > number) return false;
    if (own < number) return true;
  }
  return false;
}

/** Versions from one to another, both included. `last` may be a prefix: `28.2` takes in all of 28.2. */
export interface VersionRange {
  readonly first: string;
  readonly last: string;
}

/**
 * Whether a version, or all versions with this prefix, lie in one of the ranges. `some` is only said of a prefix.
 *
 * @returns nothing for a build without a version stamp: nothing can be said of it.
 */
export function within(version: string, ranges: readonly VersionRange[]): "all" | "some" | "none" | undefined {
  const numbers = versionNumbers(version);
  if (!numbers) return undefined;
  const [lowest, highest] = [padded(numbers, 0), padded(numbers, Infinity)];
  let some = false;
  for (const range of ranges) {
    const first = padded(versionNumbers(range.first) ?? [], 0);
    const last = padded(versionNumbers(range.last) ?? [], Infinity);
    if (compare(lowest, first) >= 0 && compare(highest, last) <= 0) return "all";
    if (compare(lowest, last) <= 0 && compare(highest, first) >= 0) some = true;
  }
  return some ? "some" : "none";
}

const padded = (numbers: readonly number[], by: number): readonly number[] => [0, 1, 2].map((index) => numbers[index] ?? by);

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [index, number] of one.entries()) {
    const against = other[index] ?? 0;
    if (number !== against) return number < against ? -1 : 1;
  }
  return 0;
}
