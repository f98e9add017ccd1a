/**
 * How long to wait before each next look, in milliseconds: what is usually so at once is seen at once, and who waits longer asks less
 * often.
 *
 * @param most What a wait grows to; each is a fifth longer than the one before.
 */
export function backoff(first: number, most: number): () => number {
  let next = first;
  return () => {
    const wait = Math.min(next, most);
    next *= 1.2;
    return Math.round(wait);
  };
}
