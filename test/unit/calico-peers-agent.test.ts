import assert from "node:assert/strict";
import type { OverlayHost, OverlayWork } from "../../components/overlays/agent";
import { calicoAgent } from "../../components/overlays/calico/agent";
import type { CalicoSettings } from "../../components/overlays/calico/args";
import type { CalicoPeer } from "../../components/overlays/calico/peers/settings";
import { calicoStatus } from "../../components/overlays/calico/status";
import type { ScriptValues } from "../../components/remote/script";

type Session = NonNullable<OverlayHost["session"]>;

const tor: CalicoPeer = { name: "tor", address: "10.5.0.1", as: 65010, on: "members", accept: [], signed: true, bfd: false };
const passwords = { tor: "tor-and-us", spine: "spine-and-us" };

/** Hosts that do what their scripts are asked to, with routers that may be silent. */
class FakeHosts {
  readonly calls: string[] = [];
  readonly given = new Map<string, ScriptValues>();
  readonly silent = new Map<string, readonly object[]>();
  readonly progress: string[] = [];

  work(routers: readonly CalicoPeer[], { never = [] as readonly string[], tunnel = false, bfd = true } = {}): OverlayWork<CalicoSettings> {
    return {
      settings: {
        ...{ hostPrefix: 24, bridge: "", asNumber: 64512, telling: { meshed: true, reflectors: [] }, bfd, tunnel },
        ...(routers.length > 0 && { peers: { never, routers } }),
      },
      programs: [],
      hosts: [this.host("control-a", "manager", 11, tunnel), this.host("edge-a", "worker", 12, tunnel)],
      departing: [],
      space: "10.97.0.0/17",
      slices: [{ name: "web", slice: "0.0.0.64/26" }],
      underlayMtu: 1500,
      mtu: 1500,
      secret: "c2VjcmV0",
      passwords,
      io: { progress: (key, line) => void this.progress.push(`${key ?? "all"}: ${line}`) },
    };
  }

  private host(key: string, role: "manager" | "worker", place: number, tunnel: boolean): OverlayHost {
    const script = async (_: string, values: ScriptValues, { verb }: { verb: string }): Promise<unknown> => {
      await Promise.resolve();
      this.calls.push(`${key} ${verb}`);
      if (verb === "look") return { sessions: [], blocked: [], label: "" };
      if (verb === "check") return { silent: [] };
      if (verb === "greet") return { silent: this.silent.get(key) ?? [] };
      if (verb === "up") this.given.set(key, values);
      return { changed: true };
    };
    const session = { script: script as Session["script"] };
    const group = key.replace(/-.*/, "");
    const inTunnel = tunnel ? { tunnelAddress: `10.97.192.${place}` } : {};
    return {
      key,
      role,
      group,
      site: "rack",
      address: `10.5.0.${place}`,
      containerSubnet: `10.97.${place}.0/24`,
      engine: "26.1.5",
      session,
      ...inTunnel,
    };
  }

  config(key: string): string {
    return this.given.get(key)?.["CONFIG"] ?? "";
  }
}

describe("calico's agent, with routers outside the cluster", () => {
  let fake: FakeHosts;
  beforeEach(() => (fake = new FakeHosts()));

  it("gives BIRD a session for each, which announces parts of the host's subnet and takes what was asked for but never the cluster's own", async () => {
    const peer = { ...tor, announce: ["0.0.0.64/26"], accept: ["0.0.0.0/0", "10.20.0.0/16"], bfd: true };
    await calicoAgent.up(fake.work([peer], { never: ["10.5.0.0/24", "10.96.0.0/14"], tunnel: true, bfd: false }));
    const edge = [{ peer: "control-a", address: "10.97.192.11", subnet: "10.97.11.0/24" }][0];
    assert.equal(
      fake.config("edge-a"),
      [
        "# Routes between containers: this is edge-a. Made by pulumi-swarm, and made anew by every up.",
        "log stderr all;",
        "router id 10.97.192.12;",
        "define HOSTS = [ 10.97.0.0/17{24,24} ];",
        "define OWN = 10.97.12.0/24;",
        "graceful restart wait 15;",
        'include "peers.conf";',
        "protocol device { scan time 10; }",
        'protocol bfd { strict bind on; interface "*" { interval 300 ms; multiplier 5; }; }',
        "protocol static own { ipv4; route OWN unreachable; }",
        "protocol static announced { ipv4; route 10.97.12.64/26 unreachable; }",
        "protocol kernel {",
        "  persist;",
        "  graceful restart on;",
        "  scan time 15;",
        "  ipv4 { import none; export filter { if source = RTS_BGP && net ~ HOSTS then accept; if source = RTS_BGP && net ~ [ 0.0.0.0/0, 10.20.0.0/16+ ] then accept; reject; }; };",
        "}",
        "template bgp host {",
        "  local 10.97.192.12 as 64512;",
        "  direct;",
        "  strict bind on;",
        "  hold time 30;",
        "  connect delay time 1;",
        "  connect retry time 5;",
        "  error wait time 1, 10;",
        "  graceful restart on;",
        "  graceful restart time 15;",
        '  include "password.conf";',
        "  ipv4 {",
        "    import none;",
        "    export filter { if net = OWN then accept; reject; };",
        "  };",
        "}",
        `protocol bgp '${edge?.peer}' from host {`,
        `  neighbor ${edge?.address} as 64512;`,
        `  ipv4 { import where net = ${edge?.subnet}; };`,
        "}",
        "protocol bgp 'peer:tor' from 'key:tor' {",
        "  local 10.5.0.12 as 64512;",
        "  neighbor 10.5.0.1 as 65010;",
        "  direct;",
        "  strict bind on;",
        "  hold time 30;",
        "  connect delay time 1;",
        "  connect retry time 5;",
        "  error wait time 1, 10;",
        "  graceful restart on;",
        "  graceful restart time 15;",
        "  bfd graceful;",
        "  ipv4 {",
        "    import filter { if net ~ [ 10.5.0.0/24+, 10.96.0.0/14+ ] then reject; if net ~ [ 0.0.0.0/0, 10.20.0.0/16+ ] then accept; reject; };",
        "    export filter { if source = RTS_STATIC && net ~ [ 10.97.12.64/26 ] then accept; reject; };",
        "  };",
        "}",
        "",
      ].join("\n"),
    );
  });

  it("announces the whole subnet, and takes nothing, where nothing else is asked for", async () => {
    await calicoAgent.up(fake.work([tor]));
    assert.match(
      fake.config("edge-a"),
      /'peer:tor' [^]*import none;\n {4}export filter \{ if source = RTS_STATIC && net = OWN then accept; reject; \};/,
    );
    assert.doesNotMatch(fake.config("edge-a"), /announced|net ~ \[ 10/);
    fake = new FakeHosts();
    await calicoAgent.up(fake.work([{ ...tor, announce: [], accept: ["0.0.0.0/0"] }]));
    assert.match(fake.config("edge-a"), /'peer:tor' [^]*if net ~ \[ 0\.0\.0\.0\/0 \] then accept; reject; \};\n {4}export none;/);
  });

  it("has sessions on the chosen hosts alone, each with that router's password apart from all else", async () => {
    const spine = { ...tor, name: "spine", address: "10.5.0.2", on: "workers" } as const;
    const bare = { ...tor, name: "bare", address: "10.5.0.3", signed: false };
    await calicoAgent.up(fake.work([tor, spine, bare]));
    const peers = (key: string): string[] =>
      [...fake.config(key).matchAll(/^protocol bgp '(peer:[^']*)'(.*) \{/gm)].map(([, name, from]) => `${name}${from}`);
    assert.deepEqual(peers("control-a"), ["peer:bare", "peer:tor from 'key:tor'"]);
    assert.deepEqual(peers("edge-a"), ["peer:bare", "peer:spine from 'key:spine'", "peer:tor from 'key:tor'"]);
    assert.equal(fake.given.get("control-a")?.["PEER_KEYS"], "tor tor-and-us");
    assert.equal(fake.given.get("edge-a")?.["PEER_KEYS"], "tor tor-and-us\nspine spine-and-us");
    for (const { PEER_KEYS, ...others } of fake.given.values()) {
      assert.ok(PEER_KEYS !== undefined);
      assert.doesNotMatch(JSON.stringify(others), /and-us/);
    }
  });

  it("leaves all as it was where there are none", async () => {
    await calicoAgent.up(fake.work([]));
    assert.equal(fake.given.get("edge-a")?.["PEER_KEYS"], "");
    assert.doesNotMatch(fake.config("edge-a"), /peer|restart wait|announced/);
    assert.ok(!fake.calls.some((call) => call.endsWith("greet")));
  });

  it("warns of a router that does not answer, by its name and with what BIRD says, and does not fail", async () => {
    fake.silent.set("control-a", [{ name: "tor", why: "Connect Socket: No route to host" }]);
    fake.silent.set("edge-a", [{ name: "tor", why: "Active" }]);
    assert.deepEqual(await calicoAgent.up(fake.work([tor, { ...tor, name: "spine", address: "10.5.0.2", signed: false }])), []);
    assert.deepEqual(fake.progress, [
      'all: warning: no BGP session of control-a, edge-a with the router tor (10.5.0.1, AS 65010), which so knows no way to their containers: BIRD says "Connect Socket: No route to host". ' +
        "Fix: see that it runs, and has these hosts as neighbours of AS 64512 with the same password; the session begins by itself",
    ]);
    assert.ok(!fake.progress.join().includes("and-us"));
  });
});

describe("the status of routers outside the cluster", () => {
  const host = (key: string, sessions: readonly string[]): Parameters<typeof calicoStatus.rows>[0][number] => ({
    ...{ key, role: "worker", site: "rack", address: "10.5.0.1", siteAddress: "10.5.0.1", silent: [] },
    answer: { unit: "active", answers: true, apart: true, sessions },
  });

  it("counts their sessions apart, and names a router once with the hosts that it does not answer", () => {
    const seen = [
      host("a", ["b Established", "peer:spine Established", "peer:tor Active Socket: Connection refused"]),
      host("b", ["a Established", "peer:spine Established", "peer:tor Connect"]),
    ];
    assert.deepEqual(
      calicoStatus.rows(seen).map(({ says }) => says),
      ["1 of 1 BGP sessions established, and 1 of 2 with routers outside", "1 of 1 BGP sessions established, and 1 of 2 with routers outside"],
    );
    assert.deepEqual(
      calicoStatus.findings(seen, new Date(0)).map(({ kind, severity, text }) => [kind, severity, text]),
      [
        [
          "bgp-peer",
          "warning",
          'a, b: no BGP session with the router tor, which so knows no way to their containers: BIRD says "Active Socket: Connection refused"',
        ],
      ],
    );
  });
});
