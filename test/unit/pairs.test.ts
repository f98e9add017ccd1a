import assert from "node:assert/strict";
import fc from "fast-check";
import { mostForAllPairs, pairsToCheck } from "../../components/addresses/pairs";

interface Host {
  readonly key: string;
  readonly site: string;
}

const hostsOf = (sites: readonly number[]): Host[] => sites.map((site, index) => ({ key: `host-${index}`, site: `site-${site}` }));
const count = (pairs: ReadonlyMap<string, readonly string[]>): number => [...pairs.values()].reduce((sum, others) => sum + others.length, 0);

describe("the pairs of hosts that are looked at", () => {
  it("are all of them, in both directions, up to a hundred hosts", () => {
    const hosts = hostsOf(Array.from({ length: mostForAllPairs }, (_, index) => index % 3));
    assert.equal(count(pairsToCheck(hosts)), mostForAllPairs * (mostForAllPairs - 1));
  });

  const clusters = fc.array(fc.nat({ max: 12 }), { minLength: mostForAllPairs + 1, maxLength: 260 }).map(hostsOf);

  it("are, of more hosts, a few of each: every host looks and is looked at, every two sites meet, and no part is apart", () => {
    fc.assert(
      fc.property(clusters, (hosts) => {
        const pairs = pairsToCheck(hosts);
        const site = new Map(hosts.map((host) => [host.key, host.site]));
        const looked = new Set([...pairs.values()].flat());
        for (const { key } of hosts) {
          const others = pairs.get(key) ?? [];
          assert.ok(others.length > 0 && !others.includes(key) && new Set(others).size === others.length && looked.has(key), key);
        }
        const met = new Set(
          [...pairs].flatMap(([one, others]) =>
            others.flatMap((other) => [`${site.get(one)} ${site.get(other)}`, `${site.get(other)} ${site.get(one)}`]),
          ),
        );
        const sites = [...new Set(site.values())];
        for (const one of sites) for (const other of sites) assert.ok(one === other || met.has(`${one} ${other}`), `${one} and ${other}`);
        assert.ok(count(pairs) <= hosts.length * 9 + (sites.length * (sites.length - 1)) / 2);
      }),
      { numRuns: 20 },
    );
  });

  it("are the same in each run, in whatever order hosts are listed", () => {
    fc.assert(
      fc.property(clusters, (hosts) => assert.deepEqual([...pairsToCheck([...hosts].reverse())], [...pairsToCheck(hosts)])),
      { numRuns: 5 },
    );
  });
});
