import assert from "node:assert/strict";
import fc from "fast-check";
import { planCluster } from "../../components/cluster/plan";
import * as local from "../../components/hosts/local";
import { assignBlocks } from "../../components/addresses/blocks";
import { Cidr, isPrivate } from "../../components/addresses/cidr";

const cidr = (text: string): Cidr => Cidr.parse(text) as Cidr;
const keys = fc.uniqueArray(fc.stringMatching(/^[a-z]{2,6}$/), { minLength: 1, maxLength: 40 });

describe("blocks of address space", () => {
  const space = cidr("10.98.0.0/15");
  const requests = (names: readonly string[]) => names.map((key) => ({ key, prefix: 24 }));

  it("never overlap and lie within the space", () => {
    fc.assert(
      fc.property(keys, (names) => {
        const blocks = [...assignBlocks(space, requests(names)).byKey.values()];
        assert.equal(blocks.length, names.length);
        blocks.forEach((block, index) => {
          assert.ok(space.contains(block));
          assert.ok(!blocks.some((other, place) => place !== index && other.overlaps(block)));
        });
      }),
    );
  });

  it("do not depend on the order of the list", () => {
    fc.assert(
      fc.property(keys, (names) => {
        const one = assignBlocks(space, requests(names)).byKey;
        const other = assignBlocks(space, requests([...names].reverse())).byKey;
        for (const name of names) assert.equal(String(one.get(name)), String(other.get(name)));
      }),
    );
  });

  it("stay where they are when a name that comes later in the alphabet is added or removed", () => {
    fc.assert(
      fc.property(keys, (names) => {
        const sorted = [...names].sort();
        const all = assignBlocks(space, requests(sorted)).byKey;
        const fewer = assignBlocks(space, requests(sorted.slice(0, -1))).byKey;
        for (const [name, block] of fewer) assert.equal(String(all.get(name)), String(block));
      }),
    );
  });

  it("stay where they are pinned", () => {
    const pin = cidr("10.98.7.0/24");
    const { byKey, problems } = assignBlocks(space, [{ key: "web", prefix: 24, pin }, ...requests(["aa", "bb"])]);
    assert.equal(byKey.get("web"), pin);
    assert.deepEqual(problems, []);
  });
});

describe("CIDR arithmetic", () => {
  it("agrees with a table", () => {
    const network = cidr("10.96.0.0/14");
    assert.equal(String(network.halves()[1]), "10.98.0.0/15");
    assert.equal(network.address(1), "10.96.0.1");
    assert.equal(network.count(24), 1024);
    assert.equal(String(network.subnet(24, 1023)), "10.99.255.0/24");
    assert.ok(network.contains(cidr("10.99.255.0/24")) && !network.contains(cidr("10.100.0.0/24")));
    assert.ok(cidr("0.0.0.0/0").overlaps(network));
    assert.deepEqual(
      ["10.0.0.0/8", "172.31.0.0/16", "192.168.1.0/24", "100.64.0.0/10"].map((text) => isPrivate(cidr(text))),
      [true, true, true, true],
    );
    assert.deepEqual(
      ["172.32.0.0/16", "8.8.8.0/24", "10.0.0.0/7", "100.128.0.0/16"].map((text) => isPrivate(cidr(text))),
      [false, false, false, false],
    );
  });

  it("refuses what is no network", () => {
    for (const text of ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "300.0.0.0/8", "::/64", "10.0.0.1/8"]) {
      assert.ok("problem" in Cidr.parse(text), text);
    }
  });
});

describe("the plan", () => {
  it("gives the same answer to the same question, and a host its number in its group's block", () => {
    const args = { hosts: { control: local.hosts({ role: "manager", numbers: [1, 3, 7] }) }, networks: { web: {} } } as const;
    const { plan } = planCluster(args);
    assert.deepEqual(plan, planCluster(args).plan);
    assert.deepEqual(
      plan.hosts.map(({ key, address }) => [key, address?.split(".")[3]]),
      [
        ["control-1", "1"],
        ["control-3", "3"],
        ["control-7", "7"],
      ],
    );
  });

  it("says what the loss of hosts would do", () => {
    const says = (count: number): string => planCluster({ hosts: { control: local.hosts({ role: "manager", count }) } }).plan.quorum.says;
    assert.equal(says(1), "1 manager: tolerates no failure; while it is down the swarm is read-only and running services continue");
    assert.match(says(5), /^5 managers: tolerates 2 failures; with 3 managers down the swarm is read-only/);
  });

  it("takes the overlay's bytes off the site's MTU, and tells Docker the site's", () => {
    const { plan } = planCluster({ hosts: { control: local.hosts({ role: "manager" }) }, networks: { web: {} } });
    assert.equal(plan.mtu, 1450);
    assert.deepEqual(plan.networks[0]?.options, { "com.docker.network.driver.mtu": "1500" });
  });

  it("lets a group's addresses be pinned within the site's own network", () => {
    const { plan, problems } = planCluster({
      hosts: { control: local.hosts({ role: "manager", count: 3 }) },
      pins: { "site control": "10.213.5.0/24" },
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      plan.hosts.map(({ address }) => address),
      ["10.213.5.1", "10.213.5.2", "10.213.5.3"],
    );
  });

  it("takes a thousand hosts", () => {
    const groups = Object.fromEntries(["aa", "bb", "cc", "dd"].map((key) => [key, local.hosts({ role: "worker", count: 249 })]));
    const { plan, problems } = planCluster({ hosts: { control: local.hosts({ role: "manager", count: 5 }), ...groups } });
    assert.deepEqual(problems, []);
    assert.equal(plan.hosts.length, 1001);
    assert.equal(new Set(plan.hosts.map(({ address }) => address)).size, 1001);
  });
});
