import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BridgePlan, engineChanges, type EngineState, ownBridges } from "../../components/engine/bridges";

const plan: BridgePlan = {
  docker0: { subnet: "10.96.0.0/24", gateway: "10.96.0.1/24" },
  gwbridge: { subnet: "10.96.1.0/24", gateway: "10.96.1.1" },
  mtu: 1440,
};
const bridges = { bip: "10.96.0.1/24", mtu: 1440 };

function gwbridge(subnet: string, gateway: string, mtu?: number, users: readonly string[] = []): EngineState["gwbridge"] {
  return {
    IPAM: { Config: [{ Subnet: subnet, Gateway: gateway }] },
    Options: {
      "com.docker.network.bridge.name": "docker_gwbridge",
      ...(mtu !== undefined && { "com.docker.network.driver.mtu": String(mtu) }),
    },
    Containers: Object.fromEntries(users.map((Name) => [`id of ${Name}`, { Name }])),
  };
}
const asPlanned = gwbridge("10.96.1.0/24", "10.96.1.1", 1440);
const byDocker = gwbridge("172.18.0.0/16", "172.18.0.1");

const fresh: EngineState = { daemon: {}, unapplied: false, swarm: "inactive", gwbridge: null, tablesWithoutRules: [] };
const settled: EngineState = { daemon: bridges, unapplied: false, swarm: "active", gwbridge: asPlanned, tablesWithoutRules: [] };
const settings = (changes: { readonly settings?: string }): unknown => JSON.parse(changes.settings ?? "null");

describe("the engine's changes", () => {
  it("are settings and docker_gwbridge on a fresh host: one restart serves all", () => {
    const changes = engineChanges(fresh, { "log-driver": "local" }, plan);
    assert.deepEqual(settings(changes), { ...bridges, "log-driver": "local" });
    assert.deepEqual(changes.gwbridge, { subnet: "10.96.1.0/24", gateway: "10.96.1.1", mtu: 1440 });
    assert.equal(changes.member, false);
    assert.deepEqual(changes.warnings, []);
  });

  it("are none on a host that has all", () => {
    assert.deepEqual(engineChanges(settled, {}, plan), { member: true, warnings: [] });
    assert.deepEqual(engineChanges({ ...fresh, daemon: { a: 1, b: 2 } }, { a: 1 }), { member: false, warnings: [] });
  });

  it("are a restart when the last run was cut off before it", () => {
    assert.deepEqual(settings(engineChanges({ ...settled, unapplied: true }, {}, plan)), bridges);
  });

  it("keep what the file holds and the program does not name", () => {
    const changes = engineChanges({ ...fresh, daemon: { "max-concurrent-downloads": 2, bip: "172.17.0.1/16" } }, {}, plan);
    assert.deepEqual(settings(changes), { "max-concurrent-downloads": 2, ...bridges });
  });

  it("are all ours only where neither the program nor whoever wrote the file has a word in them, which Docker might refuse", () => {
    const allOurs = (daemon: EngineState["daemon"], own: EngineState["daemon"]): boolean =>
      engineChanges({ ...fresh, daemon }, own, plan).allOurs === true;
    assert.deepEqual([allOurs({}, {}), allOurs({ mtu: 1300, bip: "10.1.0.1/16" }, {})], [true, true]);
    assert.deepEqual([allOurs({ "log-level": "warn" }, {}), allOurs({}, { mtu: 1300 }), allOurs({ bridge: "br0" }, {})], [false, false, false]);
  });

  for (const [what, own, expected] of [
    ["bip", { bip: "192.168.7.1/24" }, { bip: "192.168.7.1/24", mtu: 1440 }],
    ["mtu", { mtu: 1300 }, { bip: "10.96.0.1/24", mtu: 1300 }],
    ["address pools", { "default-address-pools": [{ base: "192.168.0.0/16", size: 24 }] }, { mtu: 1440 }],
    ["bridge", { bridge: "br0" }, { mtu: 1440 }],
    ["fixed CIDR", { "fixed-cidr": "172.17.5.0/24" }, { mtu: 1440 }],
  ] as const) {
    it(`leave the user's own ${what} its way`, () => {
      assert.deepEqual(settings(engineChanges(fresh, own, plan)), { ...expected, ...own });
    });
  }

  it("set no address beside one that somebody gave the bridge by hand: Docker would not start", () => {
    assert.deepEqual(settings(engineChanges({ ...fresh, daemon: { bridge: "br0" } }, {}, plan)), { bridge: "br0", mtu: 1440 });
  });

  it("let Docker cut docker_gwbridge from the user's own pools, with the MTU", () => {
    const own = { "default-address-pools": [{ base: "192.168.0.0/16", size: 24 }], mtu: 1300 };
    assert.deepEqual(engineChanges(fresh, own, plan).gwbridge, { mtu: 1300 });
    assert.equal(engineChanges({ ...fresh, gwbridge: gwbridge("192.168.3.0/24", "192.168.3.1", 1300) }, own, plan).gwbridge, undefined);
  });

  for (const [what, present] of [
    ["another subnet", gwbridge("10.96.2.0/24", "10.96.2.1", 1440)],
    ["another gateway", gwbridge("10.96.1.0/24", "10.96.1.254", 1440)],
    ["another MTU", gwbridge("10.96.1.0/24", "10.96.1.1", 1500)],
    ["no MTU", gwbridge("10.96.1.0/24", "10.96.1.1")],
    ["what Docker chose", byDocker],
  ] as const) {
    it(`make a docker_gwbridge with ${what} anew while nothing uses it`, () => {
      assert.deepEqual(engineChanges({ ...fresh, gwbridge: present }, {}, plan).gwbridge, { ...plan.gwbridge, mtu: 1440 });
    });
  }

  for (const swarm of ["active", "pending", "locked", "error"]) {
    it(`leave docker_gwbridge alone on a host that is "${swarm}" in a swarm, and say when it is changed`, () => {
      const { member, gwbridge: change, warnings } = engineChanges({ ...settled, swarm, gwbridge: byDocker }, {}, plan);
      assert.equal(member, true);
      assert.equal(change, undefined);
      assert.deepEqual(warnings, [
        "docker_gwbridge is 172.18.0.0/16 with MTU 1500 and planned 10.96.1.0/24 with MTU 1440: it is changed when the host next leaves the swarm and joins",
      ]);
    });
  }

  it("make a docker_gwbridge that was removed from a member, in its planned place, and say what else is to be done", () => {
    const { gwbridge: change, warnings } = engineChanges({ ...settled, gwbridge: null }, {}, plan);
    assert.deepEqual(change, { ...plan.gwbridge, mtu: 1440 });
    assert.match(warnings.join(), /^docker_gwbridge, by which .* was removed, and is made again\. .*"systemctl restart docker" on this host$/);
  });

  it("say that Docker's own rules are gone, and leave the restart to a person", () => {
    const { settings: change, warnings } = engineChanges({ ...settled, tablesWithoutRules: ["nat", "filter"] }, {}, plan);
    assert.equal(change, undefined);
    assert.deepEqual(warnings, [
      'Docker\'s own rules are gone (table nat and filter), as after "nft flush ruleset" or "iptables -F": published ports and the containers\' way out do not ' +
        'work, and what containers send on encrypted networks leaves in plaintext. Fix: "systemctl restart docker" there, one host after the other; its containers restart',
    ]);
    for (const daemon of [
      { ...bridges, iptables: false },
      { ...bridges, "firewall-backend": "nftables" },
    ])
      assert.deepEqual(engineChanges({ ...settled, daemon, tablesWithoutRules: ["nat"] }, {}, plan).warnings, []);
  });

  it("leave docker_gwbridge alone while a container uses it, and say which", () => {
    const changes = engineChanges({ ...fresh, gwbridge: gwbridge("172.18.0.0/16", "172.18.0.1", 1500, ["debug"]) }, {}, plan);
    assert.equal(changes.gwbridge, undefined);
    assert.match(changes.warnings.join(), /^docker_gwbridge is .*: it is left so while it is used by debug$/);
  });
});

describe("registries of a member of a swarm", () => {
  const mirror = { "registry-mirrors": ["https://mirror.example"], "insecure-registries": ["10.0.0.9:5000"] };

  it("are read again without a restart, before any other setting, which waits for the host's turn", () => {
    const { reload, settings: left } = engineChanges(settled, { ...mirror, "log-driver": "local" }, plan);
    assert.deepEqual(JSON.parse(reload ?? ""), { ...settled.daemon, ...mirror });
    assert.deepEqual(JSON.parse(left ?? ""), { ...settled.daemon, ...mirror, "log-driver": "local" });
    assert.deepEqual(Object.keys(engineChanges(settled, mirror, plan)).sort(), ["member", "reload", "warnings"]);
  });

  it("wait with all else where an earlier change still waits for a restart, and come with the restart of a host that is no member", () => {
    const changes = [engineChanges({ ...settled, unapplied: true }, mirror, plan), engineChanges(fresh, mirror, plan)];
    for (const { reload, settings: all } of changes) {
      assert.equal(reload, undefined);
      assert.deepEqual((JSON.parse(all ?? "") as typeof mirror)["registry-mirrors"], mirror["registry-mirrors"]);
    }
  });
});

describe("the user's own bridges", () => {
  it("are told to the plan, so that it keeps clear of them", () => {
    const own = {
      bip: "192.168.7.1/24",
      mtu: 1300,
      "default-address-pools": [
        { base: "192.168.0.0/16", size: 24 },
        { base: "10.9.0.0/16", size: 26 },
      ],
    };
    assert.deepEqual(ownBridges(own), { bip: "192.168.7.1/24", mtu: 1300, pools: ["192.168.0.0/16", "10.9.0.0/16"] });
    assert.deepEqual(ownBridges({ "log-driver": "local" }), {});
    assert.deepEqual(ownBridges(), {});
  });

  it("are not found in what is none", () => {
    assert.deepEqual(ownBridges({ bip: 7, mtu: "x", "default-address-pools": [null, {}, { base: 1 }] }), { pools: [] });
  });
});

describe("the look for Docker's own rules", () => {
  // As Docker 26 and 28 make them.
  const nat = ["-N DOCKER", "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"];
  const filter = ["-N DOCKER", "-N DOCKER-USER", "-A FORWARD -j DOCKER-USER", "-A FORWARD -o docker0 -j DOCKER"];
  const newer = ["-N DOCKER", "-N DOCKER-BRIDGE", "-N DOCKER-FORWARD", "-A FORWARD -j DOCKER-FORWARD", "-A DOCKER-BRIDGE -o docker0 -j DOCKER"];
  const published = ["-N DOCKER-INGRESS", "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER-INGRESS"];
  const withoutWays = (rules: readonly string[]): string[] => rules.filter((rule) => rule.startsWith("-N "));
  const cases: readonly (readonly [string, readonly string[], readonly string[], readonly string[]])[] = [
    ["finds them", nat, filter, []],
    ["finds those of a newer engine", nat, newer, []],
    ["finds that of published ports", [...nat, ...published], filter, []],
    ["says that they are gone", [], [], ["nat", "filter"]],
    ["says that nothing leads to them", withoutWays(nat), withoutWays(filter), ["nat", "filter"]],
    ["says that nothing leads to published ports", [...nat, ...withoutWays(published)], filter, ["nat"]],
  ];
  for (const [what, inNat, inFilter, expected] of cases) {
    it(what, () => assert.deepEqual(look({ nat: inNat, filter: inFilter }).tablesWithoutRules, expected));
  }
});

/** What bridges.sh sees where iptables lists these rules. */
function look(tables: Readonly<Record<"nat" | "filter", readonly string[]>>): EngineState {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-bridges-"));
  try {
    const program = (name: string, text: string): void => writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    program("iptables", `cat "${folder}/$4"`);
    for (const [table, rules] of Object.entries(tables)) writeFileSync(join(folder, table), rules.map((rule) => `${rule}\n`).join(""));
    const components = join(__dirname, "../../components");
    const script = `. ${components}/engine/docker-rules.sh; . ${components}/remote/prelude.sh; . ${components}/engine/bridges.sh`;
    const env = { PATH: `${folder}:${process.env["PATH"] ?? ""}`, LOG: "/dev/null" };
    return JSON.parse(execFileSync("sh", ["-c", script, "sh", "look"], { env, encoding: "utf8" })) as EngineState;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
