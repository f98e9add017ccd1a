import assert from "node:assert/strict";
import * as fc from "fast-check";
import { assignBlocks, type BlockRequest } from "../../components/addresses/blocks";
import { Cidr, isCidr } from "../../components/addresses/cidr";

function cidr(text: string): Cidr {
  const parsed = Cidr.parse(text);
  assert.ok(isCidr(parsed));
  return parsed;
}

const space = cidr("10.98.0.0/15");
const keys = fc.stringMatching(/^[a-z][a-z0-9-]{0,11}$/);
const requests = fc.uniqueArray(fc.record({ key: keys, prefix: fc.integer({ min: 20, max: 28 }) }), { selector: ({ key }) => key, maxLength: 30 });
const sameSize = fc.uniqueArray(keys, { minLength: 1, maxLength: 40 });

function shown(list: readonly BlockRequest[], taken: readonly Cidr[] = [], within = space): Record<string, string> {
  const { byKey, problems } = assignBlocks(within, list, taken);
  assert.deepEqual(problems, []);
  return Object.fromEntries([...byKey].map(([key, block]) => [key, block.toString()]));
}

function assertApart(blocks: readonly Cidr[]): void {
  blocks.forEach((one, index) => {
    for (const other of blocks.slice(index + 1)) assert.ok(!one.overlaps(other), `${one} overlaps ${other}`);
  });
}

describe("assignBlocks", () => {
  it("gives each key a block of the size asked, inside the space, overlapping no other", () => {
    fc.assert(
      fc.property(requests, (list) => {
        const { byKey, problems } = assignBlocks(space, list);
        assert.deepEqual(problems, []);
        assert.equal(byKey.size, list.length);
        for (const { key, prefix } of list) {
          assert.equal(byKey.get(key)?.prefix, prefix);
          assert.ok(byKey.get(key) && space.contains(byKey.get(key) as Cidr));
        }
        assertApart([...byKey.values()]);
      }),
    );
  });

  it("gives the same blocks in whatever order the keys come", () => {
    const shuffled = requests.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(fc.property(shuffled, ([list, other]) => assert.deepEqual(shown(list), shown(other))));
  });

  it("leaves every other key where it is when a key goes, but for those it had pushed aside", () => {
    fc.assert(
      fc.property(sameSize, fc.nat(), (names, pick) => {
        const list = names.map((key) => ({ key, prefix: 24 }));
        const gone = list[pick % list.length]?.key ?? "";
        const before = shown(list);
        const after = shown(list.filter(({ key }) => key !== gone));
        // Alone in the space, a key lies where its name puts it. One that lies elsewhere was pushed aside, and may go back.
        const athome = (key: string): boolean => before[key] === shown([{ key, prefix: 24 }])[key];
        for (const { key } of list) if (key !== gone && athome(key)) assert.equal(after[key], before[key], `${key} moved when ${gone} went`);
      }),
    );
  });

  it("leaves pinned blocks at their pin, whatever else is asked", () => {
    const pins = fc.uniqueArray(fc.integer({ min: 0, max: 511 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sameSize, pins, (names, places) => {
        const pinned = places.map((place) => ({ key: `PIN${place}`, prefix: 24, pin: space.subnet(24, place) }));
        const { byKey, problems } = assignBlocks(space, [...names.map((key) => ({ key, prefix: 24 })), ...pinned]);
        assert.deepEqual(problems, []);
        for (const { key, pin } of pinned) assert.equal(byKey.get(key)?.toString(), pin.toString());
        assertApart([...byKey.values()]);
      }),
    );
  });

  it("takes a pin outside the space", () => {
    assert.deepEqual(shown([{ key: "web", prefix: 24, pin: cidr("192.168.7.0/24") }]), { web: "192.168.7.0/24" });
  });

  it("names both sides of two pins that overlap, and places all others", () => {
    const { byKey, problems } = assignBlocks(space, [
      { key: "a", prefix: 24, pin: cidr("10.98.4.0/23") },
      { key: "b", prefix: 24, pin: cidr("10.98.5.0/24") },
      { key: "c", prefix: 24 },
    ]);
    assert.deepEqual(problems, [{ key: "b", message: "10.98.5.0/24 overlaps 10.98.4.0/23 of a", fix: "choose a network that nothing else uses" }]);
    assert.deepEqual([...byKey.keys()].sort(), ["a", "c"]);
  });

  it("keeps clear of what is taken, by pins too", () => {
    const tiny = cidr("10.0.0.0/30");
    const taken = [tiny.subnet(32, 0), tiny.subnet(32, 2)];
    const blocks = shown(
      ["a", "b"].map((key) => ({ key, prefix: 32 })),
      taken,
      tiny,
    );
    assert.deepEqual(Object.values(blocks).sort(), ["10.0.0.1/32", "10.0.0.3/32"]);
    const { problems } = assignBlocks(tiny, [{ key: "a", prefix: 32, pin: tiny.subnet(32, 2) }], taken);
    assert.match(problems[0]?.message ?? "", /^10\.0\.0\.2\/32 overlaps 10\.0\.0\.2\/32 of an address in use$/);
  });

  it("fills a space to its last block, then says which key has no room and how large the space would have to be", () => {
    const small = cidr("10.0.0.0/22");
    const four = ["a", "b", "c", "d"].map((key) => ({ key, prefix: 24 }));
    assert.equal(new Set(Object.values(shown(four, [], small))).size, 4);
    const { byKey, problems } = assignBlocks(small, [...four, { key: "e", prefix: 24 }]);
    assert.equal(byKey.size, 4);
    assert.deepEqual(problems, [
      {
        key: "e",
        message: "no /24 is left for it in 10.0.0.0/22",
        fix: "take an address space in which this part is a /21 or larger, or ask for smaller subnets",
      },
    ]);
  });

  it("says of a block larger than the space that there is no room", () => {
    const { problems } = assignBlocks(cidr("10.0.0.0/24"), [{ key: "big", prefix: 16 }]);
    assert.equal(problems[0]?.message, "no /16 is left for it in 10.0.0.0/24");
    assert.match(problems[0]?.fix ?? "", /a \/16 or larger/);
  });

  it("offers a space that is large enough: what it advises has room for all", () => {
    fc.assert(
      fc.property(fc.uniqueArray(keys, { minLength: 5, maxLength: 60 }), (names) => {
        const list = names.map((key) => ({ key, prefix: 24 }));
        const { problems } = assignBlocks(cidr("10.0.0.0/22"), list);
        const advised = Number(/a \/(\d+) or larger/.exec(problems[0]?.fix ?? "")?.[1]);
        assert.deepEqual(assignBlocks(Cidr.at(10n << 24n, advised), list).problems, []);
      }),
    );
  });

  it("puts these names where they were put before: another place would move networks that stand", () => {
    assert.deepEqual(shown(["web", "db", "cache"].map((key) => ({ key, prefix: 24 }))), {
      cache: "10.98.224.0/24",
      db: "10.99.209.0/24",
      web: "10.99.246.0/24",
    });
  });
});
