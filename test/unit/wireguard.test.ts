import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { PlannedHost } from "../../components/hosts/host";
import { loadScript, scriptInput } from "../../components/remote/script";
import { wireguard } from "../../components/underlay/wireguard";
import { mostHosts, wireGuardProblems, wireGuardSettings } from "../../components/underlay/wireguard/args";
import { type MeshHost, meshProblems, peersConf, planPeers } from "../../components/underlay/wireguard/mesh";

const keyOf = (name: string): string => Buffer.from(name.padEnd(32, "-")).toString("base64");

const a1: MeshHost = { key: "a1", site: "a", address: "10.0.0.1", publicAddress: "203.0.113.1", tunnelAddress: "10.99.0.1" };
const a2: MeshHost = { key: "a2", site: "a", address: "10.0.0.2", publicAddress: "203.0.113.2", tunnelAddress: "10.99.0.2" };
const b1: MeshHost = { key: "b1", site: "b", address: "10.0.1.1", tunnelAddress: "10.99.0.3" };
const b2: MeshHost = { key: "b2", site: "b", address: "10.0.1.2", tunnelAddress: "10.99.0.4" };
const c1: MeshHost = { key: "c1", site: "c", address: "fd00::1", publicAddress: "2001:db8::1", tunnelAddress: "10.99.0.5" };

/** Hosts of a few sites, each with or without a public address. */
const meshes = fc.array(fc.record({ site: fc.constantFrom("a", "b", "c"), open: fc.boolean() }), { maxLength: 12 }).map((hosts) =>
  hosts.map(({ site, open }, index): MeshHost => ({
    key: `${site}${index}`,
    site,
    address: `10.0.0.${index}`,
    ...(open && { publicAddress: `203.0.113.${index}` }),
    tunnelAddress: `10.99.0.${index}`,
  })),
);

describe("peers in the encrypted mesh", () => {
  const table = [
    { from: a1, to: a2, endpoint: "10.0.0.2:51820", keepalive: 0, what: "within a site by the private address, without keep-alive" },
    { from: b1, to: b2, endpoint: "10.0.1.2:51820", keepalive: 0, what: "within a site by the private address, also behind address translation" },
    {
      from: b1,
      to: a1,
      endpoint: "203.0.113.1:51820",
      keepalive: 25,
      what: "from behind address translation by the public address, with keep-alive",
    },
    { from: a1, to: b1, endpoint: undefined, keepalive: 0, what: "not at all towards a host behind address translation" },
    { from: a1, to: c1, endpoint: "[2001:db8::1]:51820", keepalive: 0, what: "across sites by the public address, in brackets for IPv6" },
  ];
  for (const { from, to, endpoint, keepalive, what } of table) {
    it(`are called ${what}`, () => {
      const peer = planPeers([a1, a2, b1, b2, c1], { port: 51820 })
        .get(from.key)
        ?.find(({ key }) => key === to.key);
      assert.deepEqual({ endpoint: peer?.endpoint, keepalive: peer?.keepalive }, { endpoint, keepalive });
    });
  }

  it("use the port and the keep-alive that are asked for", () => {
    const peer = planPeers([a1, b1], { port: 4500, keepalive: 10 }).get("b1")?.[0];
    assert.deepEqual(peer, { key: "a1", tunnelAddress: "10.99.0.1", endpoint: "203.0.113.1:4500", keepalive: 10 });
  });

  it("are all other hosts, of each host", () => {
    fc.assert(
      fc.property(meshes, (hosts) => {
        const plan = planPeers(hosts, { port: 51820 });
        assert.equal(plan.size, hosts.length);
        for (const [key, peers] of plan) {
          const others = hosts.map((host) => host.key).filter((other) => other !== key);
          assert.deepEqual(peers.map((peer) => peer.key).sort(), others.sort());
        }
      }),
    );
  });

  it("do not depend on the order in which hosts are listed", () => {
    fc.assert(
      fc.property(
        meshes.chain((hosts) => fc.tuple(fc.constant(hosts), fc.shuffledSubarray(hosts, { minLength: hosts.length, maxLength: hosts.length }))),
        ([hosts, shuffled]) => {
          const keys = Object.fromEntries(hosts.map(({ key }) => [key, { publicKey: keyOf(key) }]));
          const texts = (list: readonly MeshHost[]): string[] =>
            [...planPeers(list, { port: 1 })].map(([key, peers]) => key + peersConf(peers, keys));
          assert.deepEqual(texts(shuffled), texts(hosts));
        },
      ),
    );
  });

  it("can call from at least one side, and have keep-alive where only one can, unless a problem names them", () => {
    fc.assert(
      fc.property(meshes, (hosts) => {
        const plan = planPeers(hosts, { port: 51820 });
        const problems = meshProblems(hosts);
        const peerOf = (from: MeshHost, to: MeshHost) => plan.get(from.key)?.find(({ key }) => key === to.key);
        for (const one of hosts) {
          for (const other of hosts.filter(({ key }) => key > one.key)) {
            const [there, back] = [peerOf(one, other), peerOf(other, one)];
            const neither = there?.endpoint === undefined && back?.endpoint === undefined;
            const named = problems.some(({ message }) => message.includes(`site ${one.site} `) && message.includes(`site ${other.site} `));
            if (neither) assert.ok(named, `${one.key} and ${other.key}: ${JSON.stringify(problems)}`);
            if (!neither && there?.endpoint === undefined) assert.equal(back?.keepalive, 25);
            if (!neither && back?.endpoint === undefined) assert.equal(there?.keepalive, 25);
          }
        }
        const closed = (site: string): boolean => hosts.some((host) => host.site === site && host.publicAddress === undefined);
        assert.equal(
          problems.length,
          [
            ["a", "b"],
            ["a", "c"],
            ["b", "c"],
          ].filter((pair) => pair.every(closed)).length,
        );
      }),
    );
  });
});

describe("hosts that could never meet", () => {
  it("are named with what to do, and with the argument's path when there is one", () => {
    const d1 = { key: "d1", site: "d" };
    assert.deepEqual(meshProblems([b2, a1, b1, d1], "hosts"), [
      {
        path: "hosts",
        message: "b1, b2 in site b and d1 in site d cannot meet: neither side has a publicAddress that the other could call",
        fix: "give every host of b or every host of d a publicAddress, or put them all into one site if they do reach each other",
      },
    ]);
  });

  it("are not listed one by one when there are many", () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ key: `w${String(index).padStart(2, "0")}`, site: "b" }));
    assert.match(
      meshProblems([{ key: "d1", site: "d" }, ...many])[0]?.message ?? "",
      /^w00, w01, w02, w03, w04 and 35 more in site b and d1 in site d /,
    );
  });

  it("do not exist in one site, or where one side is open", () => {
    assert.deepEqual(meshProblems([b1, b2, a1, a2, c1]), []);
  });
});

describe("the configuration of peers", () => {
  const peers = planPeers([a1, a2, b1], { port: 51820 }).get("b1") ?? [];

  it("is one text to the last byte", () => {
    assert.equal(
      peersConf(peers, { a1: { publicKey: keyOf("a1") }, a2: { publicKey: keyOf("a2"), nextPublicKey: keyOf("a2 next") } }),
      [
        "# a1",
        "[Peer]",
        "PublicKey = YTEtLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0=",
        "AllowedIPs = 10.99.0.1/32",
        "Endpoint = 203.0.113.1:51820",
        "PersistentKeepalive = 25",
        "",
        "# a2",
        "[Peer]",
        "PublicKey = YTItLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0=",
        "AllowedIPs = 10.99.0.2/32",
        "Endpoint = 203.0.113.2:51820",
        "PersistentKeepalive = 25",
        "",
        "# a2, its next key",
        "[Peer]",
        "PublicKey = YTIgbmV4dC0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0=",
        "Endpoint = 203.0.113.2:51820",
        "PersistentKeepalive = 0",
        "",
      ].join("\n"),
    );
  });

  it("has the network that a host carries beside its address, with the key in use alone", () => {
    const carrying = planPeers([a1, { ...a2, carries: "10.96.2.0/24" }, b1], { port: 51820 }).get("b1") ?? [];
    const keys = Object.fromEntries(peers.map(({ key }) => [key, { publicKey: keyOf(key), nextPublicKey: keyOf(`${key} next`) }]));
    const allowed = [...peersConf(carrying, keys).matchAll(/AllowedIPs = (.*)/g)].map(([, networks]) => networks);
    assert.deepEqual(allowed, ["10.99.0.1/32", "10.99.0.2/32,10.96.2.0/24"]);
  });

  it("leaves out a host whose key is not known yet", () => {
    assert.doesNotMatch(peersConf(peers, { a2: { publicKey: keyOf("a2") } }), /a1|10\.99\.0\.1/);
    assert.equal(peersConf(peers, {}), "");
  });

  it("gives every tunnel address to one key only", () => {
    const keys = Object.fromEntries(peers.map(({ key }) => [key, { publicKey: keyOf(key), nextPublicKey: keyOf(`${key} next`) }]));
    const addresses = [...peersConf(peers, keys).matchAll(/AllowedIPs = (.*)/g)].map(([, address]) => address);
    assert.deepEqual(addresses, ["10.99.0.1/32", "10.99.0.2/32"]);
  });
});

describe("WireGuard's arguments", () => {
  it("have the documented defaults", () => {
    assert.deepEqual(wireGuardSettings({}), { port: 51820, rotation: "", keepalive: 25 });
    assert.deepEqual(wireGuardProblems({}), []);
    assert.deepEqual(wireGuardProblems({ port: 1, keepalive: 0, mtu: 576, rotation: "2026-11" }), []);
  });

  const wrong = [
    { args: { port: 0 }, path: "port", message: "0 is not a UDP port" },
    { args: { port: 65536 }, path: "port", message: "65536 is not a UDP port" },
    { args: { port: "51820" }, path: "port", message: '"51820" is not a UDP port' },
    { args: { keepalive: -1 }, path: "keepalive", message: "-1 is not a number of seconds" },
    { args: { keepalive: 2.5 }, path: "keepalive", message: "2.5 is not a number of seconds" },
    { args: { mtu: 575 }, path: "mtu", message: "575 is not an MTU in bytes" },
    { args: { rotation: 7 }, path: "rotation", message: "7 is not plain text" },
    { args: { rotation: "a\nb" }, path: "rotation", message: '"a\\nb" is not plain text' },
  ];
  for (const { args, path, message } of wrong) {
    it(`are refused with the way out: ${JSON.stringify(args)}`, () => {
      const problems = wireGuardProblems(args as object);
      assert.deepEqual(
        problems.map((problem) => ({ path: problem.path, message: problem.message })),
        [{ path, message }],
      );
      assert.match(problems[0]?.fix ?? "", /^give /);
    });
  }

  it("are refused all at once", () => {
    assert.equal(wireGuardProblems({ port: 0, keepalive: -1, mtu: 1 }).length, 3);
  });
});

describe("a WireGuard mesh of very many hosts", () => {
  const hosts = (count: number): PlannedHost[] =>
    Array.from({ length: count }, (_, index) => ({
      key: `edge-${index}`,
      group: "edge",
      place: String(index),
      provider: "existing",
      role: "worker" as const,
      site: "rack",
      sshPort: 22,
      labels: {},
    }));
  const problems = (count: number): readonly object[] => wireguard().plan({ sites: [], hosts: hosts(count) }).problems;

  it("is refused above the number that was tried, with what to do instead", () => {
    assert.deepEqual(problems(mostHosts), []);
    assert.deepEqual(problems(mostHosts + 1), [
      {
        path: "hosts",
        message: "301 hosts are more than a WireGuard mesh takes (300): every host keeps a session with every other one",
        fix: "split the hosts into clusters of 300 at most, or connect the sites by your own network (a VPN, the cloud's peering) and use underlay: direct() on it",
      },
    ]);
  });
});

describe("the keys that a host has of its peers", () => {
  it("are told by their addresses, of those that are asked for, and no next ones", () => {
    const folder = mkdtempSync(join(tmpdir(), "peers-"));
    const script = loadScript(join(__dirname, "../../components/underlay/wireguard"), "known.sh").replaceAll("/etc/pulumi-swarm", folder);
    const known = (ADDRESSES: string): unknown => {
      const { stdout, stderr } = spawnSync("sh", ["-s"], {
        input: scriptInput(script, "known", { ADDRESSES }),
        encoding: "utf8",
      });
      assert.equal(stderr, "");
      return (JSON.parse(stdout) as { known: unknown }).known;
    };
    try {
      assert.deepEqual(known("10.99.0.2"), {}, "before it has any");
      mkdirSync(join(folder, "wireguard"));
      const keys = {
        a2: { publicKey: keyOf("a2"), nextPublicKey: keyOf("a2 next") },
        b1: { publicKey: keyOf("b1") },
        b2: { publicKey: keyOf("b2") },
      };
      writeFileSync(join(folder, "wireguard", "peers.conf"), peersConf(planPeers([a1, a2, b1, b2], { port: 51820 }).get("a1") ?? [], keys));
      assert.deepEqual(known("10.99.0.2 10.99.0.4 10.99.0.77"), { "10.99.0.2": keyOf("a2"), "10.99.0.4": keyOf("b2") });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
