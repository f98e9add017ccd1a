import assert from "node:assert/strict";
import * as fc from "fast-check";
import { Cidr, isCidr, isPrivate } from "../../components/addresses/cidr";

function cidr(text: string): Cidr {
  const parsed = Cidr.parse(text);
  assert.ok(isCidr(parsed), `${text} should be a network`);
  return parsed;
}

/** Any network there is, by its first address and prefix. */
const networks = fc.tuple(fc.bigInt(0n, 0xffffffffn), fc.integer({ min: 0, max: 32 })).map(([bits, prefix]) => {
  const host = BigInt(32 - prefix);
  return Cidr.at((bits >> host) << host, prefix);
});

describe("Cidr", () => {
  for (const text of ["0.0.0.0/0", "10.96.0.0/14", "10.213.0.0/16", "192.168.1.0/24", "192.168.1.7/32", "255.255.255.254/31"]) {
    it(`reads and prints ${text} unchanged`, () => assert.equal(cidr(text).toString(), text));
  }

  for (const text of [
    "",
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0/8",
    "10.0.0.256/32",
    "300.0.0.0/8",
    "10.0.0.0/8/8",
    "10.0.0.0/8 ",
    "a/8",
  ]) {
    it(`refuses ${JSON.stringify(text)} and says what a network looks like`, () => {
      const parsed = Cidr.parse(text);
      assert.ok(!isCidr(parsed));
      assert.equal(parsed.problem, `"${text}" is not an IPv4 network in CIDR form, such as 10.96.0.0/14`);
    });
  }

  for (const [text, fix] of [
    ["10.0.0.0", 'write "10.0.0.0/8"'],
    ["10.98.7.0", 'write "10.98.7.0/24"'],
    ["10.98.7.1", 'write "10.98.7.1/32"'],
    ["0.0.0.0", 'write "0.0.0.0/8"'],
    ["10.0.0.0/8 ", 'write "10.0.0.0/8"'],
    ["10.96.0.0/255.252.0.0", 'write "10.96.0.0/14"'],
    ["10.96.0.0/255.0.255.0", "write it as address/prefix, such as 10.96.0.0/14"],
    ["10.96.0.0\\14", 'write "10.96.0.0/14"'],
    ["10.0.0.0/33", "write it as address/prefix, such as 10.96.0.0/14"],
    ["fd00::/8", "write it as address/prefix, such as 10.96.0.0/14"],
  ] as const) {
    it(`says how ${JSON.stringify(text)} was probably meant`, () => {
      const parsed = Cidr.parse(text);
      assert.ok(!isCidr(parsed));
      assert.equal(parsed.fix, fix);
    });
  }

  for (const value of [undefined, null, 10, {}, ["10.0.0.0/8"]]) {
    it(`refuses ${JSON.stringify(value)}, as a program without types may give`, () => {
      const parsed = Cidr.parse(value as string);
      assert.ok(!isCidr(parsed));
      assert.match(parsed.problem, /is not an IPv4 network in CIDR form/);
    });
  }

  it("refuses an address inside a network and names the network that was probably meant", () => {
    assert.deepEqual(Cidr.parse("10.96.3.7/14"), {
      problem: `"10.96.3.7/14" has bits set beyond its prefix; the network is 10.96.0.0/14`,
      fix: 'write "10.96.0.0/14"',
    });
  });

  for (const [outer, prefix, count] of [
    ["10.0.0.0/8", 8, 1],
    ["10.0.0.0/8", 24, 65_536],
    ["10.0.0.0/24", 16, 0],
    ["10.0.0.0/24", 32, 256],
  ] as const) {
    it(`counts ${count} networks of /${prefix} in ${outer}`, () => assert.equal(cidr(outer).count(prefix), count));
  }

  for (const [network, expected] of [
    ["10.0.0.0/8", true],
    ["10.255.255.0/24", true],
    ["172.16.0.0/12", true],
    ["172.32.0.0/16", false],
    ["192.168.0.0/16", true],
    ["192.168.0.0/15", false],
    ["100.64.0.0/10", true],
    ["100.128.0.0/16", false],
    ["8.8.8.0/24", false],
    ["0.0.0.0/0", false],
  ] as const) {
    it(`calls ${network} ${expected ? "private" : "public"}`, () => assert.equal(isPrivate(cidr(network)), expected));
  }

  it("gives addresses by their offset", () => {
    assert.equal(cidr("10.96.0.0/14").address(1), "10.96.0.1");
    assert.equal(cidr("10.96.0.0/14").address(65_536), "10.97.0.0");
    assert.equal(cidr("255.255.255.0/24").address(255n), "255.255.255.255");
  });

  it("reads back what it prints, whatever the network", () => {
    fc.assert(fc.property(networks, (network) => assert.equal(cidr(network.toString()).toString(), network.toString())));
  });

  it("halves a network into two that fill it and do not overlap", () => {
    fc.assert(
      fc.property(
        networks.filter(({ prefix }) => prefix < 32),
        (network) => {
          const [lower, upper] = network.halves();
          assert.equal(lower.size + upper.size, network.size);
          assert.ok(network.contains(lower) && network.contains(upper));
          assert.ok(!lower.overlaps(upper));
        },
      ),
    );
  });

  it("overlaps exactly when one contains the other, and then from both sides", () => {
    fc.assert(
      fc.property(networks, networks, (one, other) => {
        assert.equal(one.overlaps(other), one.contains(other) || other.contains(one));
        assert.equal(one.overlaps(other), other.overlaps(one));
      }),
    );
  });

  it("cuts subnets that lie inside and beside each other", () => {
    const cases = fc.tuple(networks, fc.integer({ min: 0, max: 8 }), fc.nat(), fc.nat()).filter(([{ prefix }, more]) => prefix + more <= 32);
    fc.assert(
      fc.property(cases, ([network, more, left, right]) => {
        const prefix = network.prefix + more;
        const count = network.count(prefix);
        const one = network.subnet(prefix, left % count);
        const other = network.subnet(prefix, right % count);
        assert.ok(network.contains(one));
        assert.equal(one.overlaps(other), left % count === right % count);
      }),
    );
  });
});
