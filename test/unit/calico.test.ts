import assert from "node:assert/strict";
import type { PlannedHost } from "../../components/hosts/host";
import { calico, type CalicoArgs } from "../../components/overlays/calico";
import type { CalicoSettings } from "../../components/overlays/calico/args";
import { birdConfig, type Speaker } from "../../components/overlays/calico/bird";
import { bgpPassword, chooseLabel, firstLabel, labelOf } from "../../components/overlays/calico/password";
import { chooseTelling, sessionsMeanwhile, sessionsOf } from "../../components/overlays/calico/reflectors";
import type { OverlayContext, OverlayPlan } from "../../components/overlays/overlay";
import { direct } from "../../components/underlay/direct";
import { wireguard } from "../../components/underlay/wireguard";

function host(key: string, role: "manager" | "worker", more: Partial<PlannedHost> = {}): PlannedHost {
  return { key, group: key.replace(/-\d+$/, ""), place: "1", provider: "existing", role, site: "rack", sshPort: 22, labels: {}, ...more };
}

const hosts = [host("control-1", "manager"), host("control-2", "manager"), host("control-3", "manager"), host("edge-1", "worker")];
const many = (workers: number, managers = 3): PlannedHost[] => [
  ...hosts.slice(0, managers),
  ...Array.from({ length: workers }, (_, index) => host(`edge-${index + 1}`, "worker")),
];

function plan(args: CalicoArgs = {}, more: Partial<OverlayContext> & { readonly tunnel?: boolean } = {}): OverlayPlan {
  const { tunnel = false, ...context } = more;
  const sites = context.sites ?? ["rack"];
  const underlay = (tunnel ? wireguard() : direct()).plan({ sites: sites.map((key) => ({ key, mtu: 1500 })), hosts });
  return calico(args).plan({ sites, hosts, underlay, behindNat: [], ...context });
}

function problems(args: unknown, more: Parameters<typeof plan>[1] = {}): string[] {
  return plan(args as CalicoArgs, more).problems.map(({ path, message, fix }) => `${path}: ${message}; ${fix}`);
}

describe("the plan of calico", () => {
  it("opens BGP and BFD between the hosts, and no port for containers' data", () => {
    const rules = (args: CalicoArgs, more = {}): string[] =>
      plan(args, more).rules.map(
        ({ name, protocol, ports, from, to, over }) => `${name} ${protocol}/${ports.join(",")} ${from.join(",")} > ${to} (${over})`,
      );
    assert.deepEqual(rules({}), [
      "bgp tcp/179 members > members (site)",
      "bgp-bfd udp/3784 members > members (site)",
      "ingress-data udp/4789 members > members (site)",
    ]);
    assert.deepEqual(rules({ bfd: false }, { tunnel: true }), [
      "bgp tcp/179 members > members (tunnel)",
      "ingress-data udp/4789 members > members (tunnel)",
    ]);
  });

  it("takes nothing off the MTU, and has packets come in on any interface but in the tunnel", () => {
    assert.deepEqual([plan().containerMtu(1500), plan({}, { tunnel: true }).containerMtu(1420)], [1500, 1420]);
    assert.deepEqual([plan().routedIn, plan({}, { tunnel: true }).routedIn], [{}, { interface: "swarm0" }]);
  });

  it("gives each host a subnet, each network a slice of it, and the bridge one of its own", () => {
    assert.deepEqual(plan().placement, { kind: "slices", hostPrefix: 24, hostsPerGroup: 16, slicePrefix: 26, own: { bridge: 27 }, bridge: "calico" });
    assert.deepEqual(plan({ bridge: false }).placement, { kind: "slices", hostPrefix: 24, hostsPerGroup: 16, slicePrefix: 26, own: {} });
  });

  it("says what protects containers' data and the routes, and has no secret in its settings", () => {
    const [data, routes] = plan().encryption;
    assert.deepEqual([data?.channel, data?.protects, routes?.channel, routes?.protects], ["overlay data", false, "routes", false]);
    assert.deepEqual(
      plan({}, { tunnel: true }).encryption.map(({ protects }) => protects),
      [true, true],
    );
    assert.deepEqual(plan().settings, {
      hostPrefix: 24,
      bridge: "calico",
      asNumber: 64512,
      telling: { meshed: true, reflectors: ["control-1", "control-2"] },
      bfd: true,
      tunnel: false,
    });
  });

  it("has two managers tell all others from the 33rd host on, which the firewall's rule names, and refuses to with one", () => {
    const of = (args: CalicoArgs, all: PlannedHost[]): OverlayPlan => plan(args, { hosts: all });
    const telling = (args: CalicoArgs, all: PlannedHost[]): unknown => (of(args, all).settings as CalicoSettings).telling;
    assert.deepEqual(telling({}, many(29)), { meshed: true, reflectors: ["control-1", "control-2"] });
    assert.deepEqual(telling({}, many(30)), { meshed: false, reflectors: ["control-1", "control-2"] });
    assert.match(of({}, many(30)).rules[0]?.reason ?? "", /control-1 and control-2 tell all others/);
    assert.deepEqual(telling({ reflectors: ["edge-1", "edge-9"] }, many(9)), { meshed: false, reflectors: ["edge-1", "edge-9"] });
    assert.deepEqual(telling({ reflectors: [] }, many(97)), { meshed: true, reflectors: [] });
    assert.match(
      problems({}, { hosts: many(32, 1) })[0] ?? "",
      /^overlay.reflectors: more than 32 hosts need two .*, and there are not two managers/,
    );
    assert.deepEqual(problems({}, { hosts: many(31, 1) }), []);
  });

  it("chooses managers of different sites, or else of different zones", () => {
    const chosen = (...all: PlannedHost[]): readonly string[] => chooseTelling(all).reflectors;
    const [a, b] = [host("a-1", "manager", { zone: "x" }), host("a-2", "manager", { zone: "x" })];
    assert.deepEqual(chosen(b, a), ["a-1", "a-2"]);
    assert.deepEqual(chosen(a, b, host("b-1", "manager", { zone: "y" })), ["a-1", "b-1"]);
    assert.deepEqual(chosen(a, b, host("b-1", "manager", { zone: "y" }), host("c-1", "manager", { site: "far" })), ["a-1", "c-1"]);
  });

  it("refuses plaintext between sites, and takes several sites in the tunnel", () => {
    const two = { sites: ["rack", "cloud"] };
    assert.deepEqual(problems({}, two), [
      "overlay: calico would carry container traffic in plaintext between the sites rack and cloud: it encrypts nothing itself; take wireguard() as the underlay",
    ]);
    assert.deepEqual(problems({}, { ...two, tunnel: true }), []);
  });

  it("warns of clouds' check of source addresses, but not in the tunnel", () => {
    assert.match(plan().warnings.join(), /a cloud drops them unless its check of source addresses is off/);
    assert.deepEqual(plan({}, { tunnel: true }).warnings, []);
  });

  it("refuses each wrong argument with its path and what to write instead", () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [{ hostPrefix: 30 }, /^overlay.hostPrefix: 30 is not usable for a host's subnet; give a prefix length from 20 to 26/],
      [{ slicePrefix: 24 }, /^overlay.slicePrefix: 24 is not usable .*; give a prefix length from 25 to 29/],
      [{ bridge: "host" }, /^overlay.bridge: "host" cannot name a Docker network/],
      [{ asNumber: 65535 }, /^overlay.asNumber: 65535 is not the number of a private autonomous system; give a number from 64512 to 65534/],
      [{ asNumber: "64512" }, /^overlay.asNumber: "64512" is not/],
      [{ bfd: "no" }, /^overlay.bfd: "no"/],
      [{ rotation: 2026 }, /^overlay.rotation: 2026 is not a text; write any text, such as "2026-11", or leave it out/],
      [{ reflectors: "control-1" }, /^overlay.reflectors: "control-1" is not a list of hosts/],
      [{ reflectors: ["control-1", "nobody"] }, /^overlay.reflectors\[1\]: there is no host "nobody"; name one of control-1, control-2/],
      [{ reflectors: ["edge-1", "edge-1"] }, /^overlay.reflectors\[1\]: the host "edge-1" is named twice/],
      [
        { reflectors: ["edge-1"] },
        /^overlay.reflectors: with one host that tells the others the routes, all lose them together with it; name a second one/,
      ],
      [{ encrypted: true }, /^overlay.encrypted/],
    ];
    for (const [args, message] of cases) assert.match(problems(args)[0] ?? "nothing", message);
    assert.match(problems({ reflectors: [] }, { hosts: many(98) })[0] ?? "", /^overlay.reflectors: 101 hosts would each have a session/);
  });
});

describe("BGP sessions", () => {
  const all = ["a", "b", "c", "d"].map((key) => ({ key }));
  const said = (sessions: readonly { peer: { key: string }; tellsAll: boolean; client: boolean }[]): string =>
    sessions.map(({ peer, tellsAll, client }) => `${peer.key}${tellsAll ? " tells all" : ""}${client ? " client" : ""}`).join(", ");
  const of = (key: string, meshed: boolean): string => said(sessionsOf({ key }, all, { meshed, reflectors: ["a", "b"] }));

  it("are one with each other host in a small cluster, and with the reflectors alone in a large one", () => {
    assert.deepEqual([of("a", true), of("c", true)], ["b, c client, d client", "a, b, d"]);
    assert.deepEqual([of("a", false), of("c", false)], ["b tells all, c client, d client", "a tells all, b tells all"]);
  });

  it("are of the same kind before and after a cluster grows, so that none has to end", () => {
    const clients = (meshed: boolean): string[] =>
      all.flatMap((self) =>
        sessionsOf(self, all, { meshed, reflectors: ["a", "b"] }).flatMap(({ peer, client }) => (client ? [`${self.key} ${peer.key}`] : [])),
      );
    assert.deepEqual(clients(true), clients(false));
  });

  it("stay, beside the new ones, until all hosts have those", () => {
    const telling = { meshed: false, reflectors: ["a", "b"] };
    assert.equal(said(sessionsMeanwhile({ key: "c" }, all, telling, ["a", "b", "d", "gone"])), "a tells all, b tells all, d");
    assert.equal(said(sessionsMeanwhile({ key: "c" }, all, telling, [])), "a tells all, b tells all");
  });
});

describe("BIRD's configuration", () => {
  const speakers = ["control-1", "control-2", "edge-1"].map((key, index): Speaker => ({
    key,
    address: `172.31.3.1${index + 1}`,
    subnet: `10.96.${index + 1}.0/24`,
  }));
  const config = (index: number, meshed: boolean, bfd = true): string => {
    const [self, telling] = [speakers[index] ?? assert.fail(), { meshed, reflectors: ["control-1", "control-2"] }];
    const settings = { space: "10.96.0.0/16", hostPrefix: 24, asNumber: 64512, bfd, reflects: !meshed && index < 2 };
    return birdConfig(self, sessionsOf(self, speakers, telling), settings);
  };

  it("announces the host's own subnet, and takes of each other host that one's own", () => {
    const text = config(2, true);
    assert.match(text, /protocol static own \{ ipv4; route OWN unreachable; \}/);
    assert.match(text, /define OWN = 10\.96\.3\.0\/24;/);
    assert.match(text, /export filter \{ if net = OWN then accept; reject; \};/);
    assert.match(text, /'control-1' from host \{\n {2}neighbor 172\.31\.3\.11 as 64512;\n {2}ipv4 \{ import where net = 10\.96\.1\.0\/24; \};\n\}/);
    assert.doesNotMatch(text, /rr client|'edge-1' from/);
  });

  it("has a reflector give on what it hears, and the others take all but their own of it", () => {
    const text = config(0, false);
    assert.match(text, /if net = OWN then accept; if source = RTS_BGP && net ~ HOSTS then accept; reject;/);
    assert.match(text, /'control-2' from host \{\n.*\n {2}ipv4 \{ import where net ~ HOSTS && net != OWN; \};/);
    assert.match(text, /'edge-1' from host \{\n.*\n {2}rr client;\n {2}ipv4 \{ import where net = 10\.96\.3\.0\/24; \};/);
    assert.match(config(2, false), /'control-1' from host \{\n.*\n {2}ipv4 \{ import where net ~ HOSTS && net != OWN; \};/);
    assert.doesNotMatch(config(0, true), /source = RTS_BGP && net ~ HOSTS then accept; reject; \};\n {2}\};\n\}\nprotocol bgp/);
  });

  it("keeps routes while BIRD is away, in the kernel and at the others", () => {
    assert.match(config(0, true), /protocol kernel \{\n {2}persist;\n {2}graceful restart on;/);
    assert.match(config(0, true), /template bgp host \{[^}]*graceful restart on;\n {2}graceful restart time 15;/);
  });

  it("has BFD where it is asked for, and its password in a file of its own", () => {
    assert.match(config(0, true), /protocol bfd [^]*bfd graceful;/);
    assert.doesNotMatch(config(0, true, false), /bfd/);
    assert.match(config(0, true), /include "password\.conf";/);
    assert.doesNotMatch(config(0, true), /password "/);
  });

  it("has a password that follows from the cluster's secret and does not give it away", () => {
    const [one, other] = ["c2VjcmV0", "b3RoZXI"].map((secret) => bgpPassword(secret));
    assert.match(one ?? "", /^[A-Za-z0-9_-]{43}$/);
    assert.equal(bgpPassword("c2VjcmV0"), one);
    assert.notEqual(one, other);
    const rotated = bgpPassword("c2VjcmV0", labelOf("2026-11"));
    assert.ok(![one, bgpPassword("c2VjcmV0", labelOf("2026-12"))].includes(rotated));
    assert.match(labelOf("2026-11"), /^[0-9a-f]{16}$/);
  });

  it("changes its password when every host can be told, ends a change that was begun, and asks for none without a rotation", () => {
    const [may, june] = [labelOf("may"), labelOf("june")];
    const chosen = (labels: readonly string[], rotation?: string, absent: readonly string[] = []): unknown => {
      const { label, waiting } = chooseLabel(labels, rotation, absent);
      return [label, waiting];
    };
    assert.deepEqual(chosen(["", ""]), [firstLabel, false]);
    assert.deepEqual(chosen(["", ""], "may"), [may, false], "a new cluster");
    assert.deepEqual(chosen([firstLabel, firstLabel], "may"), [may, false]);
    assert.deepEqual(chosen([firstLabel, firstLabel], "may", ["c"]), [firstLabel, true]);
    assert.deepEqual(chosen([may, firstLabel], "may", ["c"]), [may, false], "it was begun");
    assert.deepEqual(chosen([may, may, ""]), [may, false], "a host that joins gets what the others have");
    assert.deepEqual(chosen([may, may], "june"), [june, false]);
  });
});
