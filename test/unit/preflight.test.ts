import assert from "node:assert/strict";
import type { EngineArgs } from "../../components/engine/args";
import type { HostNeeds } from "../../components/engine/needs";
import { addressProblem, preflight, type Probe } from "../../components/engine/preflight";

const now = 1_800_000_000;
const healthy: Probe = {
  engine: "28.5.2 1.51",
  cli: true,
  swarmNftables: false,
  firewall: null,
  distribution: "debian trixie",
  apt: true,
  dnf: false,
  systemd: true,
  settingUp: "",
  vxlan: true,
  ipvs: true,
  ipsec: null,
  macvlan: null,
  openvswitch: null,
  folders: [],
  addresses: ["192.0.2.7"],
  epoch: now,
  freeKilobytes: 20_000_000,
  hostname: "one",
};

interface Case {
  readonly host: string;
  readonly probe?: Partial<Probe>;
  readonly engine?: EngineArgs;
  readonly needs?: HostNeeds;
  /** Of each refusal, in order. */
  readonly refusals?: readonly RegExp[];
  readonly needsEngine?: boolean;
}

const ipsec: HostNeeds = { features: ["vxlan", "ipsec"] };
const able = { esp: true, xtBpf: true, xtU32: false };

const cases: readonly Case[] = [
  { host: "a healthy host" },
  { host: "a host without Docker", probe: { engine: "", cli: false }, needsEngine: true },
  { host: "a host without Docker, from Docker's repository", probe: { engine: "" }, engine: { source: "docker" }, needsEngine: true },
  {
    host: "a host without Docker when it must be present",
    probe: { engine: "" },
    engine: { source: "present" },
    refusals: [/^Docker is not there, or does not answer, and engine\.source is "present": install it, or choose another source$/],
    needsEngine: true,
  },
  {
    host: "a host with neither Docker nor apt",
    probe: { engine: "", apt: false, distribution: "fedora " },
    refusals: [/this system \(fedora\) has neither apt-get nor dnf to install it with: install Docker yourself/],
    needsEngine: true,
  },
  {
    host: "an unknown system with neither",
    probe: { engine: "", apt: false, distribution: "" },
    refusals: [/\(unknown\) has neither apt-get nor dnf/],
    needsEngine: true,
  },
  { host: "a host with Docker but no apt", probe: { apt: false } },
  { host: "a host with Docker when it must be present", engine: { source: "present" } },
  { host: "a host without systemd", probe: { systemd: false }, refusals: [/not run by systemd/] },
  { host: "a kernel without VXLAN", probe: { vxlan: false }, refusals: [/kernel cannot make VXLAN devices.*\(module vxlan\)/] },
  { host: "a kernel without IPVS, which only warns", probe: { ipvs: false } },
  { host: "a full disk", probe: { freeKilobytes: 300_400 }, refusals: [/^only 300 MB are free for \/var\/lib\/docker; 1000 MB are needed$/] },
  { host: "a disk with just enough", probe: { freeKilobytes: 1_000_000 } },
  { host: "a clock two hours behind", probe: { epoch: now - 7200 }, refusals: [/^its clock is 7200 s behind this machine's.*NTP$/] },
  { host: "a clock two hours ahead", probe: { epoch: now + 7199.526 }, refusals: [/^its clock is 7200 s ahead of this machine's/] },
  { host: "a clock half an hour off", probe: { epoch: now - 1800 } },
  {
    host: "an engine that is too old",
    probe: { engine: "19.03.15 1.40" },
    refusals: [/^its Docker 19\.03\.15 is too old; 20\.10 or newer is needed$/],
  },
  { host: "the oldest engine", probe: { engine: "20.10.24+dfsg1 1.41" } },
  { host: "an engine without a version stamp", probe: { engine: "library-import 1.41" }, engine: { version: "28" } },
  { host: "the major version asked", engine: { version: "28" } },
  { host: "the minor version asked", engine: { version: "28.5" } },
  { host: "the exact version asked", engine: { version: "28.5.2" } },
  { host: "a distribution's build of the version asked", probe: { engine: "26.1.5+dfsg1 1.45" }, engine: { version: "26.1.5" } },
  {
    host: "a newer version than asked",
    engine: { version: "27" },
    refusals: [
      /^its Docker is 28\.5\.2 and engine\.version asks for 27, which is older, .* ask for a newer version; if you know that it can, set engine\.downgradeFrom: "28\.5\.2"$/,
    ],
  },
  { host: "a newer version than asked that may be replaced", engine: { version: "27", downgradeFrom: "28.5" } },
  { host: "a newer version than asked where another may be replaced", engine: { version: "27", downgradeFrom: "29" }, refusals: [/which is older/] },
  { host: "an older version than asked, to be replaced", engine: { version: "29.7" } },
  {
    host: "an older version than asked where Docker is not to be installed",
    engine: { version: "29.7", source: "present" },
    refusals: [/^its Docker is 28\.5\.2 and engine\.version asks for 29\.7, and engine\.source is "present": upgrade it, or choose another source$/],
  },
  {
    host: "an older version than asked where there is no apt",
    probe: { apt: false, distribution: "fedora 42" },
    engine: { version: "29.7" },
    refusals: [/asks for 29\.7, and this system \(fedora 42\) has neither apt-get nor dnf to install it with: upgrade it yourself$/],
  },
  { host: "an engine that is bad for swarms, to be replaced", probe: { engine: "28.2.2 1.50" }, engine: { version: "28.5" } },
  {
    host: "an engine that encrypts badly, to be replaced",
    probe: { engine: "20.10.5 1.41", ipsec: able, apt: true },
    needs: ipsec,
    engine: { version: "28.5" },
  },
  {
    host: "28.5 when 28.50 is running",
    probe: { engine: "28.50.1 1.51" },
    engine: { version: "28.5" },
    refusals: [/engine\.version asks for 28\.5, which is older/],
  },
  { host: "28.5.1 when 28.5 has another patch", engine: { version: "28.5.1" }, refusals: [/asks for 28\.5\.1/] },
  { host: "an engine whose version is a commit", probe: { engine: "2f3a1bc 1.41" } },
  {
    host: "an engine that is bad for swarms",
    probe: { engine: "28.2.2 1.50" },
    refusals: [
      /^its Docker 28\.2\.2 loses containers' packets between the hosts of a swarm \(moby#50129, moby#49908, moby#50232\): upgrade it to 28\.3 or newer$/,
    ],
  },
  { host: "the engine after them, as a distribution builds it", probe: { engine: "28.3.0+dfsg1 1.51" } },
  { host: "a release candidate of 29", probe: { engine: "29.0.0-rc.1 1.52" } },
  {
    host: "an engine that does not know the setting firewall-backend",
    engine: { settings: { "firewall-backend": "iptables" } },
    refusals: [/^its Docker 28\.5\.2 does not know the setting firewall-backend, and would not start: leave it out$/],
  },
  {
    host: "an engine that refuses swarms with nftables",
    probe: { engine: "29.5.3 1.54", firewall: { backend: "iptables", swarm: false } },
    engine: { settings: { "firewall-backend": "nftables", features: { "swarm-nftables": true } } },
    refusals: [
      /^its setting firewall-backend nftables does not work in a swarm before Docker 29\.6\.0 \(moby#50467\): Docker 29\.5\.3 would not start: leave/,
    ],
  },
  {
    host: "an engine that takes swarms with nftables",
    probe: { engine: "29.6.0 1.55", firewall: { backend: "nftables", swarm: true } },
    engine: { settings: { "firewall-backend": "nftables", features: { "swarm-nftables": true } } },
  },
  {
    host: "an engine that somebody set to nftables",
    probe: { engine: "29.1.0 1.52", firewall: { backend: "nftables", swarm: false } },
    refusals: [/^its setting firewall-backend nftables does not work in a swarm before Docker 29\.6\.0 .*: leave it out$/],
  },
  {
    host: "a newer one that somebody set to nftables",
    probe: { engine: "29.7.2 1.56", firewall: { backend: "nftables", swarm: false } },
    refusals: [/^its setting firewall-backend nftables does not work in a swarm: the engine would not start: leave it out; from Docker 29\.6\.0 on/],
  },
  { host: "the same with Docker's feature for it", probe: { engine: "29.7.2 1.56", firewall: { backend: "nftables", swarm: true } } },
  {
    host: "the same with another setting in the program",
    probe: { engine: "29.1.0 1.52", firewall: { backend: "nftables", swarm: false } },
    engine: { settings: { "firewall-backend": "iptables" } },
  },
  { host: "a kernel that can encrypt", probe: { ipsec: able }, needs: ipsec },
  { host: "a kernel that cannot encrypt where nothing asks for it", probe: { ipsec: { esp: false, xtBpf: false, xtU32: false } } },
  {
    host: "a kernel without ESP for an encrypted overlay",
    probe: { ipsec: { ...able, esp: false } },
    needs: ipsec,
    refusals: [
      /^its kernel cannot encrypt packets \(ESP with rfc4106\(gcm\(aes\)\): modules esp4, xfrm_user and gcm\), so an encrypted overlay would carry nothing: use a kernel that can, or take wireguard\(\) as the underlay$/,
    ],
  },
  {
    host: "a kernel that cannot tell what to encrypt",
    probe: { ipsec: { esp: true, xtBpf: false, xtU32: false } },
    needs: ipsec,
    refusals: [
      /^its kernel cannot tell which packets to encrypt \(module xt_bpf; .*RHEL and its kin in kernel-modules-extra\), so they could leave in plaintext: install it$/,
    ],
  },
  {
    host: "xt_u32 alone with an engine that uses it",
    probe: { engine: "20.10.24 1.41", ipsec: { esp: true, xtBpf: false, xtU32: true } },
    needs: ipsec,
  },
  {
    host: "xt_u32 alone with an engine that no longer does",
    probe: { engine: "24.0.9 1.43", ipsec: { esp: true, xtBpf: false, xtU32: true } },
    needs: ipsec,
    refusals: [/module xt_bpf/],
  },
  {
    host: "an engine that may send encrypted data in plaintext",
    probe: { engine: "20.10.5+dfsg1 1.41", ipsec: able },
    needs: ipsec,
    refusals: [/^its Docker 20\.10\.5\+dfsg1 may send encrypted networks' data in plaintext; 20\.10\.24 or newer is needed$/],
  },
  {
    host: "an engine that encrypts on no other port, on another port",
    probe: { engine: "20.10.24+dfsg1 1.41", ipsec: able },
    needs: { ...ipsec, dataPathPort: 7777 },
    refusals: [
      /^its Docker 20\.10\.24\+dfsg1 carries nothing on encrypted networks unless the data path port is 4789; 24\.0\.3 or newer is needed for 7777$/,
    ],
  },
  { host: "the same engine on the usual port", probe: { engine: "20.10.24+dfsg1 1.41", ipsec: able }, needs: { ...ipsec, dataPathPort: 4789 } },
  { host: "a kernel that can make macvlan devices", probe: { macvlan: true }, needs: { features: ["vxlan", "macvlan"] } },
  {
    host: "a kernel that cannot",
    probe: { macvlan: false },
    needs: { features: ["vxlan", "macvlan"] },
    refusals: [/^its kernel cannot make macvlan devices \(module macvlan\), by which the overlay's networks reach containers$/],
  },
  { host: "the same kernel when nobody needs them", probe: { macvlan: false } },
  {
    host: "one without Open vSwitch and a way to install it",
    probe: { openvswitch: false, apt: false },
    needs: { features: ["vxlan", "openvswitch"] },
    refusals: [/^it has no Open vSwitch \(ovs-vsctl\), and this system \(.*\) has no apt-get to install it with: install Open vSwitch yourself$/],
  },
  { host: "one with Open vSwitch and no apt-get", probe: { openvswitch: true, apt: false }, needs: { features: ["vxlan", "openvswitch"] } },
  { host: "one that can install Open vSwitch", probe: { openvswitch: false }, needs: { features: ["vxlan", "openvswitch"] } },
  {
    host: "an engine too old for the overlay",
    probe: { engine: "20.10.24+dfsg1 1.41" },
    needs: { features: ["vxlan"], engine: { oldest: "23.0", reason: "it finds no names there" } },
    refusals: [/^its Docker 20\.10\.24\+dfsg1 is too old for the overlay: it finds no names there; 23\.0 or newer is needed$/],
  },
  {
    host: "an engine just new enough for it",
    probe: { engine: "23.0.0 1.42" },
    needs: { features: ["vxlan"], engine: { oldest: "23.0", reason: "" } },
  },
  { host: "the same engine without encryption", probe: { engine: "20.10.24+dfsg1 1.41" }, needs: { features: ["vxlan"], dataPathPort: 7777 } },
  { host: "a host that can encrypt and has no Docker yet", probe: { engine: "", ipsec: able }, needs: ipsec, needsEngine: true },
  {
    host: "a host with much wrong, all of it named",
    probe: { engine: "18.9.1 1.39", systemd: false, vxlan: false, freeKilobytes: 0, epoch: 0 },
    refusals: [/systemd/, /too old/, /VXLAN/, /only 0 MB/, /clock/],
  },
];

describe("preflight", () => {
  for (const { host, probe, engine = {}, needs, refusals = [], needsEngine = false } of cases) {
    it(`${refusals.length === 0 ? "lets pass" : "refuses"} ${host}`, () => {
      const result = preflight({ ...healthy, ...probe }, engine, now, needs);
      assert.equal(result.refusals.length, refusals.length, result.refusals.join("\n"));
      refusals.forEach((expected, index) => assert.match(result.refusals[index] ?? "", expected));
      assert.equal(result.needsEngine, needsEngine);
    });
  }
});

describe("the first look at a host whose private address its provider was to give", () => {
  it("says which address is missing, what it has instead, and how to attach it", () => {
    assert.equal(
      addressProblem({ addresses: ["127.0.0.1", "203.0.113.7", "172.17.0.1"] }, "10.72.1.3"),
      "it does not have its private address 10.72.1.3, but 203.0.113.7, 172.17.0.1: its machine was not attached to the network, or the interface is not up. " +
        'Run "pulumi up --refresh", which attaches it; where the provider\'s console shows it attached, reboot the host and run `up` again',
    );
    assert.match(addressProblem({ addresses: ["127.0.0.1"] }, "10.72.1.3") ?? "", /but none: /);
  });

  it("says nothing where it is there, on whatever interface, or where nothing could be read", () => {
    assert.equal(addressProblem({ addresses: ["127.0.0.1", "203.0.113.7", "10.72.1.3"] }, "10.72.1.3"), undefined);
    assert.equal(addressProblem({ addresses: [] }, "10.72.1.3"), undefined);
  });
});
