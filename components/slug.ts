/** A resource name out of words. */
export function slug(words: string): string {
  return words.replaceAll(/[^A-Za-z0-9]+/g, "-");
}
