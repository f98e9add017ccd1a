import { fewOf } from "../report";

/** `1 host`, `3 hosts`. */
export function severalOf(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** Keys of hosts in a sentence. */
export function names(hosts: readonly { readonly key: string }[], last = ", "): string {
  const keys = hosts.map(({ key }) => key);
  return keys.length === 2 ? keys.join(last) : fewOf(keys);
}

/** With its verb: `a is`, `a, b are`. */
export function are(hosts: readonly { readonly key: string }[]): string {
  return `${names(hosts)} ${hosts.length === 1 ? "is" : "are"}`;
}

/** How long something is, as a person says it. */
export function duration(seconds: number): string {
  const whole = Math.abs(Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 2 * 3600) return `${Math.round(whole / 60)} min`;
  if (whole < 2 * 86_400) return `${Math.round(whole / 3600)} h`;
  return `${Math.round(whole / 86_400)} days`;
}
