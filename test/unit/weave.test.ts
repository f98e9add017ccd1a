import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { type WeaveArgs, weave } from "../../components/overlays/weave";
import { blame, type Connection, parseConnection } from "../../components/overlays/weave/connections";
import { choosePassword, labelOf, password, plaintext } from "../../components/overlays/weave/password";
import { nodeAddress } from "../../components/overlays/weave/peers";
import type { OverlayContext, OverlayPlan } from "../../components/overlays/overlay";
import type { PlannedHost } from "../../components/hosts/host";
import * as site from "../../components/underlay/direct";
import * as mesh from "../../components/underlay/wireguard";

const direct = site.direct().plan({ sites: [], hosts: [] });
const wireguard = mesh.wireguard().plan({ sites: [], hosts: [] });
const networks = { rack: "10.1.0.0/24", cloud: "10.2.0.0/24" };
const one: OverlayContext = { sites: ["rack"], networks, hosts: [], underlay: direct, behindNat: [] };
const open: OverlayContext = { ...one, sites: ["rack", "cloud"] };
const hidden: OverlayContext = { ...open, behindNat: ["cloud"] };
const tunnelled: OverlayContext = { ...hidden, underlay: wireguard };

const plan = (args: WeaveArgs = {}, context = one): OverlayPlan => weave(args).plan(context);
const said = (args: WeaveArgs, context = one): string[] => plan(args, context).problems.map(({ path, message }) => `${path}: ${message}`);
const opened = (args: WeaveArgs, context = one): string[] =>
  plan(args, context).rules.map(({ protocol, ports, over }) => [protocol, ...ports, over].join(" "));

describe("the Weave overlay", () => {
  it("lets its routers talk among members, ESP where kernels may encrypt, and the swarm's ingress network", () => {
    const ingress = "udp 4789 site";
    assert.deepEqual(opened({}), ["tcp 6783 site", "udp 6783-6784 site", "esp site", ingress]);
    assert.deepEqual(opened({ fastDatapath: false }), ["tcp 6783 site", "udp 6783-6784 site", ingress]);
    assert.deepEqual(opened({ encrypted: false }), ["tcp 6783 site", "udp 6783-6784 site", ingress]);
    assert.deepEqual(opened({}, tunnelled), ["tcp 6783 tunnel", "udp 6783-6784 tunnel", "udp 4789 tunnel"]);
    for (const { from, to, answers } of plan().rules) assert.deepEqual([from, to, answers], [["members"], "members", "host"]);
  });

  it("runs one program, of the version that was tested or the user's own", () => {
    const source = (args: WeaveArgs, mirror?: string): unknown =>
      plan(args, { ...one, ...(mirror !== undefined && { mirror }) }).programs.map((each) => each.source);
    const files = { weaver: "/home/weave/weaver" };
    assert.deepEqual(source({}), [{ kind: "image", reference: "docker.io/weaveworks/weave:2.6.5", files }]);
    assert.deepEqual(source({ router: { version: "2.8.1" } }, "10.0.0.1:5000"), [
      { kind: "image", reference: "10.0.0.1:5000/weaveworks/weave:2.8.1", files },
    ]);
  });

  it("takes from each packet what the larger of its two ways adds", () => {
    assert.equal(plan().containerMtu(1500), 1412);
    assert.equal(plan({ encrypted: false }).containerMtu(1500), 1436);
    assert.equal(plan({}, tunnelled).containerMtu(1440), 1376);
    const { networkOptions, driver, serves, placement } = plan();
    assert.deepEqual([networkOptions(1500), driver, serves, placement], [{}, "pulumi-swarm-weave:latest", "DNS round robin", { kind: "subnets" }]);
  });

  it("leaves room for everything that is wrapped around a packet, whatever the underlay", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1280, max: 9216 }), fc.boolean(), (underlay, encrypted) => {
        const mtu = plan({ encrypted }).containerMtu(underlay);
        const sleeve = mtu + 62 + (encrypted ? 24 : 0);
        // ESP: header 8, IV 8, tag 16; what is encrypted, with a trailer of 2, is padded to four bytes.
        const vxlan = encrypted ? 20 + 8 + 8 + 16 + 4 * Math.ceil((8 + 8 + 14 + mtu + 2) / 4) : mtu + 50;
        assert.ok(Math.max(sleeve, vxlan) <= underlay, `${mtu} in ${underlay}`);
      }),
    );
  });

  it("says what protects its data", () => {
    const of = (args: WeaveArgs, context = one): unknown[] => {
      const { channel, mechanism, protects } = plan(args, context).encryption[0] ?? assert.fail("no channel");
      return [channel, mechanism, protects];
    };
    assert.deepEqual(of({}), ["overlay data", "NaCl: XSalsa20-Poly1305; where kernels forward, IPsec ESP, AES-256-GCM", true]);
    assert.deepEqual(of({ fastDatapath: false }), ["overlay data", "NaCl: XSalsa20-Poly1305", true]);
    assert.deepEqual(of({ encrypted: false }), ["overlay data", "none", false]);
    assert.deepEqual(of({}, tunnelled), ["overlay data", "inside the wireguard underlay", true]);
    assert.deepEqual(of({ trustSites: true }, open)[2], false);
  });

  it("tells its agent what is asked, and nothing secret", () => {
    assert.deepEqual(plan().settings, { encrypted: true, fastDatapath: true, trusted: {} });
    assert.deepEqual(plan({ rotation: "x", fastDatapath: false }, tunnelled).settings, {
      encrypted: false,
      fastDatapath: false,
      rotation: "x",
      trusted: {},
    });
    assert.deepEqual(plan({ trustSites: true }, open).settings, { encrypted: true, fastDatapath: true, trusted: networks });
  });

  it("refuses what cannot be, with the reason", () => {
    assert.deepEqual(said({}), []);
    assert.deepEqual(said({}, open), []);
    assert.deepEqual(said({}, tunnelled), []);
    assert.deepEqual(said({}, hidden), ["overlay: Weave's routers of other sites cannot reach those of cloud, which are behind address translation"]);
    assert.deepEqual(said({ encrypted: false }, open), [
      "overlay: weave would carry container traffic in plaintext between the sites rack and cloud",
    ]);
    assert.deepEqual(said({ trustSites: true, encrypted: false }), [
      "overlay.trustSites: nothing is encrypted that could be left in plaintext within a site",
    ]);
    assert.deepEqual(said({ trustSites: true, encrypted: true }, tunnelled), [
      "overlay.trustSites: inside the wireguard underlay hosts of one site cannot be told from others",
    ]);
    assert.deepEqual(said({ trustSites: true }, { ...open, networks: { rack: "10.1.0.0/24" } }), [
      "overlay.trustSites: the network of cloud is not given, so it is not known whom to trust",
    ]);
    assert.deepEqual(said({ encrypted: "yes", rotation: "", router: { version: "a b" } } as unknown as WeaveArgs), [
      'overlay.encrypted: "yes" is neither true nor false',
      'overlay.rotation: "" is not a text',
      'overlay.router.version: "a b" is not a version',
    ]);
    const many = Array.from({ length: 201 }, (_, index) => ({ key: `w-${index}` }) as PlannedHost);
    assert.deepEqual(said({}, { ...one, hosts: many }), [
      "overlay: each of 201 routers of Weave would be connected to each other one, and more than 200 are not",
    ]);
    for (const { fix } of [plan({}, hidden), plan({ encrypted: false }, open)].flatMap(({ problems }) => problems))
      assert.match(fix, /wireguard\(\)/);
  });

  it("warns of what works and is not worth it", () => {
    assert.deepEqual(plan().warnings, []);
    assert.match(plan({ encrypted: true }, tunnelled).warnings.join(), /encrypts already/);
    assert.match(plan({ trustSites: true }).warnings.join(), /no data of containers is encrypted at all/);
  });
});

describe("the password of Weave's routers", () => {
  const settings = { encrypted: true };
  const [first, second] = [labelOf(""), labelOf("second")];
  const with_ = (...running: string[]): { label: string; running: string }[] => running.map((label) => ({ label, running: label }));

  it("follows from the cluster's secret and the rotation, and from nothing else", () => {
    const secret = Buffer.alloc(32, 1).toString("base64url");
    assert.equal(password(secret, first), password(secret, labelOf("")));
    assert.match(password(secret, first), /^[A-Za-z0-9_-]{43}$/);
    const others = [password(secret, second), password(Buffer.alloc(32, 2).toString("base64url"), first)];
    assert.equal(new Set([password(secret, first), ...others]).size, 3);
    assert.equal(password(secret, plaintext), "");
  });

  it("is the first one on new hosts, and stays as long as nothing else is asked for", () => {
    assert.deepEqual(choosePassword([], settings, []), { label: first, current: undefined, waiting: false });
    assert.equal(choosePassword(with_(second, second), settings, []).label, second, "taking the rotation out asks for nothing");
    assert.equal(choosePassword(with_(first, ""), { ...settings, rotation: "second" }, []).label, second);
    assert.equal(choosePassword(with_(first), { encrypted: false }, []).label, plaintext);
    assert.equal(choosePassword(with_(plaintext), settings, []).label, first);
  });

  it("is not changed while a host cannot be told, unless the change was begun", () => {
    const asked = { ...settings, rotation: "second" };
    assert.deepEqual(choosePassword(with_(first, first), asked, ["c"]), { label: first, current: first, waiting: true });
    assert.deepEqual(choosePassword(with_(first, first, second), asked, ["c"]), { label: second, current: first, waiting: false });
    // The files were written, and then the run was cut off: nobody restarted.
    const cut = [
      { label: second, running: first },
      { label: first, running: first },
    ];
    assert.equal(choosePassword(cut, asked, ["c"]).label, first);
    assert.equal(choosePassword(cut, asked, []).label, second);
    assert.equal(choosePassword([{ label: first, running: "" }], asked, ["c"]).label, first, "a router that is down counts by its file");
  });
});

describe("the peers of Weave's routers", () => {
  it("are called where they are reached from", () => {
    const host = { site: "rack", address: "10.1.0.1", publicAddress: "203.0.113.1" };
    assert.equal(nodeAddress(host), "10.1.0.1");
    assert.equal(nodeAddress(host, { site: "rack", address: "10.1.0.2" }), "10.1.0.1");
    assert.equal(nodeAddress(host, { site: "cloud", address: "10.2.0.2" }), "203.0.113.1");
    assert.equal(nodeAddress({ ...host, tunnelAddress: "10.9.0.1" }, { site: "cloud", address: "10.2.0.2" }), "10.9.0.1");
  });

  it("draw their names with their bridges: addresses of one locally administered station", () => {
    const text = readFileSync(join(__dirname, "../../components/overlays/weave/router.sh"), "utf8");
    const own = /^name\(\) \{\n[^]*?^\}$/m.exec(text)?.[0] ?? assert.fail("router.sh names no router");
    const name = (host: string): string => execFileSync("sh", ["-eu"], { input: `${host}\n${own}\nname`, encoding: "utf8" });
    const drawn = Array.from({ length: 20 }, () => name("is_link() { return 1; }"));
    for (const each of drawn) assert.match(each, /^02(:[0-9a-f]{2}){5}\n$/);
    assert.equal(new Set(drawn).size, drawn.length);
    const standing = `is_link() { [ "$1" = weave ]; }; cat() { echo "the text of $1"; }`;
    assert.equal(name(standing), "the text of /sys/class/net/weave/address\n");
  });
});

describe("a router of Weave that starts after Docker", () => {
  const text = readFileSync(join(__dirname, "../../components/overlays/weave/router.sh"), "utf8");
  const part = (name: string): string =>
    new RegExp(`^${name}\\(\\) \\{(?:[^\\n]*\\}$|\\n[^]*?^\\}$)`, "m").exec(text)?.[0] ?? assert.fail(`there is no ${name}`);
  const gaveUp = 'level=error msg="failed allocating network t79ewqhokte1 during init" error="plugin pulumi-swarm-weave:latest found but disabled"';

  /** @returns what it does about Docker */
  function healed(host: { readonly enabled: boolean; readonly leads?: string; readonly log?: string }): string[] {
    const fakes = [
      'timeout() { shift; "$@"; }',
      `docker() { case "$1 $2" in "plugin inspect") echo ${host.enabled} ;; "node inspect") echo "${host.leads ?? ""}"; [ -n "${host.leads ?? ""}" ] ;; *) echo "docker $*" >&2 ;; esac; }`,
      'systemctl() { case "$1" in is-active) ;; show) echo 5f1c ;; *) echo "systemctl $*" >&2 ;; esac; }',
      `journalctl() { case "$*" in *_SYSTEMD_INVOCATION_ID=5f1c*) echo '${host.log ?? ""}' ;; *) echo '${gaveUp}' ;; esac; }`,
    ];
    const script = [...fakes, ...["heal", "leads", "gave_networks_up"].map(part), "PLUGIN=p; exec 2>&1; heal"].join("\n");
    return execFileSync("sh", ["-eu"], { input: script, encoding: "utf8" }).split("\n").filter(Boolean);
  }

  it("enables the plugin that Docker gave up, and leaves one that works alone", () => {
    assert.deepEqual(healed({ enabled: false }), ["docker plugin enable p"]);
    assert.deepEqual(healed({ enabled: true, leads: "true", log: gaveUp }), []);
  });

  it("starts the Docker again that leads the swarm and has given its networks up, and no other", () => {
    assert.deepEqual(healed({ enabled: false, leads: "true", log: gaveUp }), [
      "docker plugin enable p",
      "systemctl restart --no-block docker.service",
    ]);
    assert.deepEqual(healed({ enabled: false, leads: "false", log: gaveUp }), ["docker plugin enable p"]);
    assert.deepEqual(healed({ enabled: false, leads: "true", log: "nothing of that" }), ["docker plugin enable p"]);
  });
});

describe("connections of Weave's routers", () => {
  const routers = ["a", "b", "c"].map((key, index) => ({ key, name: `02:00:00:00:00:0${index}`, address: `10.0.0.${index + 1}` }));
  const established = (key: string): Connection => {
    const router = routers.find((each) => each.key === key) ?? assert.fail();
    return { address: `${router.address}:6783`, state: "established", info: `encrypted sleeve ${router.name}(${key}) encrypted=truemtu=1414` };
  };
  const failed = (key: string, info: string, state = "failed"): Connection => ({ ...established(key), state, info });

  it("are read from the router's own list", () => {
    assert.deepEqual(parseConnection("<- 10.230.1.12:40689 established encrypted sleeve 00:00:00:00:00:12(wv-2) encrypted=truemtu=1414"), {
      address: "10.230.1.12:40689",
      state: "established",
      info: "encrypted sleeve 00:00:00:00:00:12(wv-2) encrypted=truemtu=1414",
    });
    assert.equal(parseConnection("-> 10.0.0.2:6783 failed Unable to decrypt TCP msg, retry: 2026-11-24 11:58")?.info, "Unable to decrypt TCP msg");
    assert.equal(parseConnection("-> 10.0.0.2:6783 connecting")?.state, "connecting");
    assert.equal(parseConnection("something else"), undefined);
  });

  it("are nobody's fault when all stand", () => {
    const seen = new Map(routers.map(({ key }) => [key, routers.filter((other) => other.key !== key).map((other) => established(other.key))]));
    assert.deepEqual(blame(routers, seen, 20), []);
  });

  it("are the fault of the one whom all others miss, with the reason", () => {
    const tell = (fromOthers: Connection, fromIt: (key: string) => Connection): string[] =>
      blame(
        routers,
        new Map([
          ["a", [established("b"), fromOthers]],
          ["b", [established("a"), fromOthers]],
          ["c", [fromIt("a"), fromIt("b")]],
        ]),
        20,
      ).map(({ host, reason }) => `${host}: ${reason}`);
    const start = "c: Weave's router is not connected to those of a, b after 20 s: ";
    const wrong = "Unable to decrypt TCP msg";
    assert.deepEqual(
      tell(failed("c", wrong), (key) => failed(key, "read: connection reset by peer")),
      [`${start}they have another password than it has, so they refuse each other (a run that reaches all of them gives all the same one)`],
    );
    assert.match(
      tell(failed("c", "password specified, but peer requested an unencrypted connection"), (key) => failed(key, ""))[0] ?? "",
      /only one side has a password/,
    );
    assert.deepEqual(
      tell(failed("c", "dial tcp: connect: connection refused"), (key) => failed(key, "", "connecting")),
      [`${start}nothing listens there on 6783/tcp (dial tcp: connect: connection refused)`],
    );
    assert.deepEqual(
      tell(failed("c", "02:00:00:00:00:02(c)", "pending"), (key) =>
        failed(key, `${routers.find((each) => each.key === key)?.name ?? ""}(${key})`, "pending"),
      ),
      [`${start}6783/udp does not get through in both directions`],
    );
    assert.deepEqual(
      blame(routers.slice(0, 2), new Map([["a", []]]), 20).map(({ host, reason }) => `${host}: ${reason}`),
      ["a: Weave's router is not connected to that of b after 20 s: it says nothing of it"],
    );
  });
});
