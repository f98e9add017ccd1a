import assert from "node:assert/strict";
import * as fc from "fast-check";
import { Address6 } from "ip-address";
import { AnyCidr, isAnyCidr, merged, normalised } from "../../components/addresses/any-cidr";

function cidr(text: string): AnyCidr {
  const parsed = AnyCidr.parse(text);
  assert.ok(isAnyCidr(parsed), text);
  return parsed;
}

const version4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
const version6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }));
/** A network near any address, as text, with the bits beyond the prefix cleared. */
const networks = fc.oneof(version4, version6).map(([address, prefix]) => {
  const parsed = AnyCidr.parse(`${address}/${prefix}`);
  return isAnyCidr(parsed) ? parsed : cidr(/the network is (\S+)$/.exec(parsed.problem)?.[1] ?? "0.0.0.0/0");
});

describe("a network of either family", () => {
  for (const [text, printed] of [
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["203.0.113.0/24", "203.0.113.0/24"],
    ["::/0", "::/0"],
    ["2001:DB8:0:0::/32", "2001:db8::/32"],
    ["2001:db8::1/128", "2001:db8::1/128"],
  ] as const) {
    it(`reads ${text} and prints ${printed}`, () => assert.equal(cidr(text).toString(), printed));
  }

  for (const text of [
    "",
    "fd00::",
    "fd00::/129",
    "fd00::/-1",
    "fe80::1%eth0/128",
    "::ffff:1.2.3.4/128",
    "1:2/16",
    "g::/8",
    "fd00::/8/8",
    "10.0.0.0",
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.ok(!isAnyCidr(AnyCidr.parse(text))));
  }

  it("refuses what a program without types may give", () => {
    for (const value of [undefined, null, 5, {}]) assert.ok(!isAnyCidr(AnyCidr.parse(value as never)));
  });

  it("names the network that was probably meant", () => {
    assert.deepEqual(AnyCidr.parse("fd00::1/8"), { problem: `"fd00::1/8" has bits set beyond its prefix; the network is fd00::/8` });
  });

  it("contains only networks of its own family", () => {
    assert.ok(cidr("::/0").contains(cidr("fd00::/8")));
    assert.ok(!cidr("::/0").contains(cidr("10.0.0.0/8")));
    assert.ok(!cidr("10.0.0.0/8").contains(cidr("0.0.0.0/0")));
    assert.ok(cidr("10.0.0.0/8").contains(AnyCidr.host("10.255.255.255")));
  });

  it("reads back what it prints, whatever the network", () => {
    fc.assert(fc.property(networks, (network) => assert.equal(cidr(network.toString()).toString(), network.toString())));
  });

  it("is left out of a list exactly when another one holds it, in whatever order they come", () => {
    fc.assert(
      fc.property(fc.array(networks, { maxLength: 8 }), (list) => {
        const kept = normalised(list);
        assert.deepEqual(normalised([...list].reverse()).map(String), kept.map(String));
        for (const network of list) assert.equal(kept.filter((one) => one.contains(network)).length, 1);
        for (const network of kept) assert.ok(list.some((one) => one.toString() === network.toString()));
      }),
    );
  });

  it("is joined with its other half, and with nothing else", () => {
    const join = (...texts: string[]): string[] => merged(texts.map(cidr)).map(String);
    assert.deepEqual(join("128.0.0.0/1", "0.0.0.0/1"), ["0.0.0.0/0"]);
    assert.deepEqual(join("::/1", "8000::/2", "c000::/2", "10.0.0.0/8"), ["10.0.0.0/8", "::/0"]);
    assert.deepEqual(join("10.0.0.0/24", "10.0.1.0/24", "10.0.1.128/25"), ["10.0.0.0/23"]);
    assert.deepEqual(join("10.0.1.0/24", "10.0.2.0/24"), ["10.0.1.0/24", "10.0.2.0/24"], "neighbours, and no halves of one network");
    assert.deepEqual(join("0.0.0.0/0", "::/0"), ["0.0.0.0/0", "::/0"]);
  });

  it("holds the same addresses when it is joined with others, and no two networks are left that are one", () => {
    const few = fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 4 })).map(([place, prefix]) => {
      const first = (BigInt(place) << 28n) & ~((1n << BigInt(32 - prefix)) - 1n);
      return AnyCidr.of4(first, prefix);
    });
    // A sixteenth of all addresses each, of which every network here is made: what is held can be counted.
    const cells = Array.from({ length: 16 }, (_, place) => AnyCidr.of4(BigInt(place) << 28n, 4));
    const held = (all: readonly AnyCidr[]): boolean[] => cells.map((cell) => all.some((network) => network.contains(cell)));
    fc.assert(
      fc.property(fc.array(few, { maxLength: 12 }), (list) => {
        const fewest = merged(list);
        assert.deepEqual(held(fewest), held(list));
        for (const one of fewest) for (const other of fewest) assert.equal(one.joined(other), undefined);
        assert.equal(
          held(list).every(Boolean),
          fewest.some(({ isWorld }) => isWorld),
          "the world exactly when every cell of it is held",
        );
      }),
    );
  });

  it("is the world again, however finely the world was cut, and not when a piece is missing", () => {
    const cut = fc.array(fc.nat(), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(32 as const, 128 as const), cut, (bits, places) => {
        const pieces: Piece[] = [{ first: 0n, prefix: 0 }];
        for (const place of places) {
          const [piece] = pieces.splice(place % pieces.length, 1);
          if (piece) pieces.push(...halves(piece, bits));
        }
        const all = pieces.map((piece) => written(piece, bits));
        assert.deepEqual(merged(all).map(String), [bits === 32 ? "0.0.0.0/0" : "::/0"]);
        assert.ok(merged(all.slice(1)).every(({ isWorld }) => !isWorld));
      }),
    );
  });
});

interface Piece {
  readonly first: bigint;
  readonly prefix: number;
}

/** A single address cannot be cut. */
function halves({ first, prefix }: Piece, bits: 32 | 128): Piece[] {
  if (prefix === bits) return [{ first, prefix }];
  return [0n, 1n].map((half) => ({ first: first + (half << BigInt(bits - prefix - 1)), prefix: prefix + 1 }));
}

function written({ first, prefix }: Piece, bits: 32 | 128): AnyCidr {
  if (bits === 32) return AnyCidr.of4(first, prefix);
  return cidr(`${Address6.fromBigInt(first).correctForm()}/${prefix}`);
}
