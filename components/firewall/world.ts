import { AnyCidr, isAnyCidr, merged, normalised } from "../addresses/any-cidr";
import type { Source } from "./rule";

/** What of one family's Internet may connect, and by which sources. Undefined in a list where it is less than half. */
export interface OpenFamily {
  readonly version: 4 | 6;
  readonly share: "all" | "at least half";
  readonly sources: readonly Source[];
}

/** The addresses that come from the Internet: all of IPv4, and of IPv6 what is given out at all (RFC 4291, global unicast). */
const internet = [cidr("0.0.0.0/0"), cidr("2000::/3")] as const;

/**
 * The families of addresses of which so much may connect that it is as good as everybody, by sources alone or together. Half is as
 * much: an attacker has no need of the other half.
 */
export function openFamilies(from: readonly Source[]): OpenFamily[] {
  const named = from.filter((source) => source === "world");
  const networks = from.flatMap((source) => {
    const network = AnyCidr.parse(source);
    return isAnyCidr(network) ? [{ source, network }] : [];
  });
  return internet.flatMap((whole): OpenFamily[] => {
    const { version, size } = whole;
    const family = networks.filter(({ network }) => network.version === version);
    const covered = (some: readonly { readonly network: AnyCidr }[]): bigint => sizeWithin(whole, some);
    const total = covered(family);
    if (named.length > 0) return [{ version, share: "all", sources: [...named, ...distinct(family.filter((one) => covered([one]) === size))] }];
    if (total < size / 2n) return [];
    const least = total === size ? size : size / 2n;
    const alone = family.filter((one) => covered([one]) >= least);
    return [{ version, share: total === size ? "all" : "at least half", sources: distinct(alone.length > 0 ? alone : family) }];
  });
}

/** Whether everybody may connect, however it is written: `world`, `0.0.0.0/0`, `::/0`, or networks that together are as much. */
export function isWorldOpen({ from }: { readonly from: readonly Source[] }): boolean {
  return openFamilies(from).length > 0;
}

/** Those among sources that let in everybody: by themselves, or else together. */
export function worldOf(from: readonly Source[]): Source[] {
  return [...new Set(openFamilies(from).flatMap(({ sources }) => sources))];
}

/** `the whole Internet`, or how much of it. Undefined where it is less than half. */
export function worldInWords(from: readonly Source[]): string | undefined {
  const open = openFamilies(from);
  if (open.length === 0) return undefined;
  return open.some(({ share }) => share === "all") ? "the whole Internet" : "at least half of the Internet";
}

/** What sources are together, where nobody can see that at a glance: `all of IPv4`. Undefined where they are what they look like. */
export function togetherInWords(from: readonly Source[]): string | undefined {
  const open = openFamilies(from).filter(({ share, sources }) => share !== "all" || !sources.some(saysSo));
  return open.length === 0 ? undefined : open.map(({ version, share }) => `${share} of IPv${version}`).join(", ");
}

function saysSo(source: Source): boolean {
  return source === "world" || /\/0$/.test(source);
}

function sizeWithin(whole: AnyCidr, some: readonly { readonly network: AnyCidr }[]): bigint {
  const parts = some.flatMap(({ network }) => (whole.contains(network) ? [network] : network.contains(whole) ? [whole] : []));
  return merged(parts).reduce((sum, { size }) => sum + size, 0n);
}

/** Those that no other one holds, each once, as they are written. */
function distinct(networks: readonly { readonly source: Source; readonly network: AnyCidr }[]): Source[] {
  const kept = new Set(normalised(networks.map(({ network }) => network)));
  return networks.filter(({ network }) => kept.has(network)).map(({ source }) => source);
}

function cidr(text: string): AnyCidr {
  const parsed = AnyCidr.parse(text);
  if (!isAnyCidr(parsed)) throw new Error(parsed.problem);
  return parsed;
}
