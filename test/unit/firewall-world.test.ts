import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import { openToAnyAddress, resolve, selects } from "../../components/firewall/resolve";
import type { FirewallHost, HostSelector } from "../../components/firewall/rule";
import { isWorldOpen, togetherInWords, worldInWords, worldOf } from "../../components/firewall/world";
import { rule } from "./firewall-fixtures";

describe("what counts as the whole Internet", () => {
  it("does however it is written", () => {
    const halves = ["0.0.0.0/2", "64.0.0.0/2"];
    for (const from of [["world"], ["0.0.0.0/0"], ["::/0"], ["2000::/3"], ["10.0.0.0/8", "0.0.0.0/1"], halves])
      equal(isWorldOpen({ from }), true, from.join());
    for (const from of [["members"], ["group edge"], ["10.0.0.0/8", "fc00::/7"], ["203.0.113.0/24"], ["[unknown]"], []])
      equal(isWorldOpen({ from }), false);
    equal(isWorldOpen({ from: ["8000::/1"] }), false, "none of it is given out: private addresses, link-local ones and multicast");
  });

  it("names the sources that are the world, not those beside them", () => {
    deepEqual(worldOf(["10.0.0.0/8", "::/0", "world", "0.0.0.0/0"]), ["world", "0.0.0.0/0", "::/0"]);
    deepEqual(worldOf(["0.0.0.0/2", "members", "64.0.0.0/2"]), ["0.0.0.0/2", "64.0.0.0/2"]);
    deepEqual(worldOf(["10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1"]), ["0.0.0.0/1", "128.0.0.0/1"]);
    deepEqual(worldOf(["128.0.0.0/2", "0.0.0.0/1", "192.0.0.0/2"]), ["128.0.0.0/2", "0.0.0.0/1", "192.0.0.0/2"], "each is needed for all of it");
  });

  it("is told apart from half of it", () => {
    for (const from of [["world"], ["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["2000::/3"]]) equal(worldInWords(from), "the whole Internet");
    for (const from of [["0.0.0.0/1"], ["0.0.0.0/1", "128.0.0.0/2"], ["2000::/4"]]) equal(worldInWords(from), "at least half of the Internet");
    equal(worldInWords(["10.0.0.0/8"]), undefined);
  });

  it("is said of networks of which it cannot be seen", () => {
    for (const from of [["world"], ["0.0.0.0/0", "::/0"], ["10.0.0.0/8"], ["world", "0.0.0.0/1"]]) equal(togetherInWords(from), undefined);
    equal(togetherInWords(["0.0.0.0/1", "128.0.0.0/1"]), "all of IPv4");
    equal(togetherInWords(["0.0.0.0/0", "2000::/4"]), "at least half of IPv6");
    equal(togetherInWords(["::/1", "8000::/1", "0.0.0.0/1"]), "at least half of IPv4, all of IPv6");
  });

  it("is what networks say that are named one by one too, in any order", () => {
    const quarters = fc.shuffledSubarray(["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"]);
    fc.assert(
      fc.property(quarters, (from) => {
        const expected = { 4: "all of IPv4", 3: "at least half of IPv4", 2: "at least half of IPv4" }[from.length];
        equal(togetherInWords(from), expected);
        equal(isWorldOpen({ from }), from.length >= 2);
      }),
    );
  });
});

describe("where a rule is open to any address, since nobody knows that of a host", () => {
  const selector = fc.constantFrom<HostSelector>("members", "managers", "workers", "group edge");
  const host: fc.Arbitrary<FirewallHost> = fc
    .record({
      key: fc.constantFrom("a", "b", "c", "d", "e"),
      role: fc.constantFrom("manager" as const, "worker" as const),
      group: fc.constantFrom("edge", "control"),
      site: fc.constantFrom("rack", "cloud", "home"),
      publicAddress: fc.option(fc.constant("203.0.113.1"), { nil: undefined, freq: 1 }),
      seenAs: fc.option(fc.constant("198.51.100.1"), { nil: undefined, freq: 1 }),
    })
    .map(({ publicAddress, seenAs, ...known }) => ({
      ...known,
      address: "192.168.7.1",
      ...(publicAddress !== undefined && { publicAddress }),
      ...(seenAs !== undefined && { seenAs }),
    }));
  const hosts = fc.uniqueArray(host, { selector: ({ key }) => key, minLength: 2, maxLength: 5 });

  it("is found before any address is known just as each host has it then", () => {
    let open = 0;
    fc.assert(
      fc.property(hosts, selector, selector, fc.constantFrom("open" as const, "closed" as const), (all, from, to, unknownAddress) => {
        const one = rule("wireguard", "udp", ["51820"], to, "site", { from: [from], unknownAddress });
        const expected = all.filter((each) => selects(to, each) && resolve(one, each, all).networks.some(({ isWorld }) => isWorld));
        const { on, sites, because } = openToAnyAddress(one, all);
        deepEqual(
          on,
          expected.map(({ key }) => key),
        );
        deepEqual(sites, [...new Set(expected.map(({ site }) => site))].sort());
        equal(because.length > 0, on.length > 0);
        open += on.length;
      }),
    );
    equal(open > 20, true, "hardly any of all these is open: the case is not tried");
  });

  it("is nowhere in the tunnel, where each address is known", () => {
    const [rack, home] = [
      { key: "a", role: "manager", site: "rack" },
      { key: "b", role: "worker", site: "home" },
    ] as const;
    const open = rule("any", "udp", ["1"], "members", "tunnel", { unknownAddress: "open" });
    deepEqual(openToAnyAddress(open, [rack, home]), { on: [], sites: [], because: [] });
    deepEqual(openToAnyAddress({ ...open, over: "site" }, [rack, home]), { on: ["a", "b"], sites: ["home", "rack"], because: ["a", "b"] });
  });
});
