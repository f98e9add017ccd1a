/** Up to this many hosts, every one of them looks at every other one. */
export const mostForAllPairs = 100;

/**
 * Who looks at whom, to find out whether hosts reach each other: for each host those that it looks at. All of them up to a hundred hosts.
 * Beyond that a choice that is always the same for the same hosts: in the order of their keys each host looks at the next one, the one
 * after that, the fourth, the eighth and so on, so that each looks and is looked at and no part of them is apart from the rest; and for
 * every two sites a host of one looks at a host of the other.
 */
export function pairsToCheck(hosts: readonly { readonly key: string; readonly site: string }[]): ReadonlyMap<string, readonly string[]> {
  const sorted = [...hosts].sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  if (sorted.length <= mostForAllPairs) {
    return new Map(sorted.map(({ key }) => [key, sorted.map((other) => other.key).filter((other) => other !== key)]));
  }
  const pairs = new Map(sorted.map(({ key }, index) => [key, new Set(neighbours(sorted, index))]));
  for (const [one, other] of betweenSites(sorted)) {
    if (!pairs.get(other)?.has(one)) pairs.get(one)?.add(other);
  }
  return new Map([...pairs].map(([key, others]) => [key, [...others]]));
}

function neighbours(sorted: readonly { readonly key: string }[], index: number): string[] {
  const keys: string[] = [];
  for (let stride = 1; stride < sorted.length; stride *= 2) keys.push(sorted[(index + stride) % sorted.length]?.key ?? "");
  return keys;
}

/** The hosts of a site take turns, so that none of them has to look at all other sites. */
function betweenSites(sorted: readonly { readonly key: string; readonly site: string }[]): [string, string][] {
  const sites = [...new Set(sorted.map(({ site }) => site))].sort().map((site) => sorted.filter((host) => host.site === site));
  const turn = (site: readonly { readonly key: string }[], number: number): string => site[number % site.length]?.key ?? "";
  return sites.flatMap((site, index) =>
    sites.slice(index + 1).map((other, further): [string, string] => [turn(site, index + 1 + further), turn(other, index)]),
  );
}
