import assert from "node:assert/strict";
import * as fc from "fast-check";
import { containerMtu, type Encapsulation, smallestMtu, underlayMtu, wireguardOverhead } from "../../components/addresses/mtu";
import { checkPathMtu, type MtuPath, pathsToTry } from "../../components/addresses/path-mtu";

const { ipv4, ipv6 } = wireguardOverhead;

/** Each was seen on real hosts: the container's MTU passed unfragmented and one byte more did not, or the interface had it. */
const verified: readonly (readonly [string, readonly number[], number, Encapsulation, number])[] = [
  ["VXLAN", [1500], 0, "vxlan", 1450],
  ["VXLAN, encrypted", [1500], 0, "encrypted vxlan", 1424],
  ["VXLAN, encrypted, on 1440", [1440], 0, "encrypted vxlan", 1364],
  ["WireGuard", [1500], ipv4, "none", 1440],
  ["WireGuard over IPv6", [1500], ipv6, "none", 1420],
  ["VXLAN on WireGuard", [1500], ipv4, "vxlan", 1390],
  ["VXLAN on WireGuard over IPv6", [1500], ipv6, "vxlan", 1370],
  ["WireGuard with a narrower site", [1500, 1460], ipv4, "none", 1400],
  ["routed", [1500], 0, "none", 1500],
];

describe("the MTU", () => {
  for (const [what, sites, overhead, encapsulation, expected] of verified) {
    it(`of ${what} is ${expected}`, () => assert.equal(containerMtu(underlayMtu(sites, overhead), encapsulation), expected));
  }

  it("never lets an encrypted packet grow beyond the underlay's, and wastes less than four bytes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1280, max: 9216 }), (underlay) => {
        const encrypted = containerMtu(underlay, "encrypted vxlan");
        assert.equal(encrypted % 4, 0);
        assert.ok(encrypted + 76 <= underlay && encrypted + 80 > underlay);
      }),
    );
  });
});

/** Sites, and the largest packet that passes between any two of their hosts. */
const ways: readonly (readonly [string, Parameters<typeof smallestMtu>[0], number])[] = [
  ["one network of EC2", [{ mtu: 9001 }], 9001],
  ["one network, whatever its way out", [{ mtu: 9001, mtuOutside: 1400 }], 9001],
  ["two networks of EC2", [{ mtu: 9001 }, { mtu: 9001 }], 1500],
  ["one of EC2 and a rack", [{ mtu: 9001 }, { mtu: 1500 }], 1500],
  ["one of EC2 and a site with a narrow network", [{ mtu: 9001 }, { mtu: 1450 }], 1450],
  ["one of EC2 and a rack behind DSL", [{ mtu: 9001 }, { mtu: 1500, mtuOutside: 1492 }], 1492],
  [
    "two networks that are peered",
    [
      { mtu: 9001, mtuOutside: 8500 },
      { mtu: 9001, mtuOutside: 8500 },
    ],
    8500,
  ],
  ["peered networks and a third one", [{ mtu: 9001, mtuOutside: 8500 }, { mtu: 9001, mtuOutside: 8500 }, { mtu: 9001 }], 1500],
];

describe("the MTU between hosts", () => {
  for (const [what, sites, expected] of ways) it(`of ${what} is ${expected}`, () => assert.equal(smallestMtu(sites), expected));
});

const hosts = (...places: readonly string[]): { key: string; site: string; address: string }[] =>
  places.map((key) => ({ key, site: key.slice(0, 1), address: `address of ${key}` }));
const arrows = (paths: readonly MtuPath[]): string[] => paths.map(({ from, to }) => `${from}>${to}`);

describe("the paths on which the MTU is tried", () => {
  it("go around each site, and around the sites by their first hosts", () => {
    assert.deepEqual(arrows(pathsToTry(hosts("a1", "b1", "a2", "b2", "a3", "c1"))), [
      "a1>a2",
      "a2>a3",
      "a3>a1",
      "b1>b2",
      "b2>b1",
      "a1>b1",
      "b1>c1",
      "c1>a1",
    ]);
  });

  it("are none for a single host", () => assert.deepEqual(pathsToTry(hosts("a1")), []));

  it("touch every host, each at most twice as a start, and go to another host's address", () => {
    const some = fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.nat(50)), { selector: String, minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(some, (places) => {
        const all = hosts(...places.map(([site, number]) => `${site}${number}`));
        const paths = pathsToTry(all);
        for (const { key } of all) {
          assert.ok(paths.some(({ from }) => from === key));
          assert.ok(paths.filter(({ from }) => from === key).length <= 2);
        }
        for (const { from, to, address } of paths) assert.ok(from !== to && address === `address of ${to}`);
      }),
    );
  });
});

describe("checkPathMtu", () => {
  const session = (answer: object | Error, seen: object[] = []) => ({
    script: async <Result>(_text: string, values: object): Promise<Result> => {
      seen.push(values);
      if (answer instanceof Error) throw answer;
      return answer as Result;
    },
  });
  const paths = pathsToTry(hosts("a1", "a2", "b1"));

  it("asks each host once for all its paths, and is content when packets of exactly that size pass", async () => {
    const seen: object[] = [];
    const one = session({ ping: true, passed: { "address of a2": 1440, "address of b1": 1440, "address of a1": 1440 } }, seen);
    const sessions = new Map([
      ["a1", one],
      ["a2", one],
      ["b1", one],
      ["c1", one],
    ]);
    assert.deepEqual(await checkPathMtu(paths, 1440, sessions), { failures: [], notes: [] });
    assert.deepEqual(seen, [
      { MTU: "1440", PEERS: "address of a2\naddress of b1" },
      { MTU: "1440", PEERS: "address of a1" },
      { MTU: "1440", PEERS: "address of a1" },
    ]);
  });

  it("names a path that is too narrow, what passed and what to do", async () => {
    const { failures } = await checkPathMtu(paths, 1500, new Map([["a2", session({ ping: true, passed: { "address of a1": 1452 } })]]));
    assert.deepEqual(failures, [
      {
        host: "a2",
        reason:
          "packets of 1500 bytes do not pass to a1 (address of a1), the largest that does has 1452: larger ones would be lost without a word. " +
          "Lower the mtu of the site by 48, or raise it on the link",
      },
    ]);
  });

  it("only notes what it cannot try: no ping, no answer, a session that broke", async () => {
    const sessions = new Map([
      ["a1", session({ ping: false, passed: {} })],
      ["a2", session({ ping: true, passed: { "address of a1": 0 } })],
      ["b1", session(new Error("b1: the SSH session broke"))],
    ]);
    assert.deepEqual(await checkPathMtu(paths, 1500, sessions), {
      failures: [],
      notes: [
        "the MTU cannot be checked: b1: the SSH session broke",
        "the MTU from a1 cannot be checked: ping is not there (package iputils-ping)",
        "the MTU from a2 to a1 (address of a1) cannot be checked: no ping is answered there",
      ],
    });
  });
});
