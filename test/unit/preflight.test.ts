import assert from "node:assert/strict";
import type { EngineArgs } from "../../components/engine/args";
import { preflight, type Probe } from "../../components/engine/preflight";

const now = 1_800_000_000;
const healthy: Probe = {
  engine: "28.5.2 1.51",
  cli: true,
  distribution: "debian trixie",
  apt: true,
  systemd: true,
  vxlan: true,
  ipvs: true,
  ipsec: null,
  epoch: now,
  freeKilobytes: 20_000_000,
  hostname: "one",
};

interface Case {
  readonly host: string;
  readonly probe?: Partial<Probe>;
  readonly engine?: EngineArgs;
  /** Of each refusal, in order. */
  readonly refusals?: readonly RegExp[];
  readonly needsEngine?: boolean;
}

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
    refusals: [/this system \(fedora \) has no apt-get to install it with: install Docker yourself/],
    needsEngine: true,
  },
  {
    host: "an unknown system with neither",
    probe: { engine: "", apt: false, distribution: "" },
    refusals: [/\(unknown\) has no apt-get/],
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
  { host: "a clock two hours ahead", probe: { epoch: now + 7200 }, refusals: [/^its clock is 7200 s ahead of this machine's/] },
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
    host: "another version than asked",
    engine: { version: "27" },
    refusals: [/^its Docker is 28\.5\.2 and engine\.version asks for 27: upgrade it, or change the version; a running engine is not replaced$/],
  },
  {
    host: "28.5 when 28.50 is running",
    probe: { engine: "28.50.1 1.51" },
    engine: { version: "28.5" },
    refusals: [/engine\.version asks for 28\.5:/],
  },
  { host: "28.5.1 when 28.5 has another patch", engine: { version: "28.5.1" }, refusals: [/asks for 28\.5\.1/] },
  {
    host: "a host with much wrong, all of it named",
    probe: { engine: "18.9.1 1.39", systemd: false, vxlan: false, freeKilobytes: 0, epoch: 0 },
    refusals: [/systemd/, /too old/, /VXLAN/, /only 0 MB/, /clock/],
  },
];

describe("preflight", () => {
  for (const { host, probe, engine = {}, refusals = [], needsEngine = false } of cases) {
    it(`${refusals.length === 0 ? "lets pass" : "refuses"} ${host}`, () => {
      const result = preflight({ ...healthy, ...probe }, engine, now);
      assert.equal(result.refusals.length, refusals.length, result.refusals.join("\n"));
      refusals.forEach((expected, index) => assert.match(result.refusals[index] ?? "", expected));
      assert.equal(result.needsEngine, needsEngine);
    });
  }
});
