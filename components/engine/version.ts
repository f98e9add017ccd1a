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
