import assert from "node:assert/strict";
import * as fc from "fast-check";
import { AnyCidr, isAnyCidr, normalised } from "../../components/network/any-cidr";

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
});
