import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SeenPart } from "../../components/health";
import { openvswitchStatus, type SwitchState } from "../../components/overlays/openvswitch/status";

const well: SwitchState = {
  database: true,
  switch: true,
  units: { "ovsdb-server": "active", "ovs-vswitchd": "active", bridge: "active" },
  flows: 9,
  apart: true,
  tunnels: [],
  trunks: [],
};

function host(key: string, answer?: Partial<SwitchState> | string): SeenPart<SwitchState> {
  const whole = typeof answer === "object" ? { ...well, ...answer } : answer;
  // Tunnels lead to the addresses over the underlay, not to those of the site.
  const ends = { address: addressOf(key), siteAddress: `192.0.2.${key.slice(-1)}` };
  return { key, role: "manager", site: "rack", ...ends, silent: [], ...(whole !== undefined && { answer: whole }) };
}

const addressOf = (key: string): string => `10.0.0.${key.slice(-1)}`;
const to = (...keys: readonly string[]): Pick<SwitchState, "tunnels"> => ({ tunnels: keys.map(addressOf) });

const now = new Date("2026-11-30T00:00:00Z");
const told = (...seen: SeenPart<SwitchState>[]): string[] =>
  openvswitchStatus.findings(seen, now).map(({ kind, severity, text }) => `${kind} ${severity}: ${text}`);
const rows = (...seen: SeenPart<SwitchState>[]): string[] => openvswitchStatus.rows(seen).map(({ host: key, says }) => `${key}: ${says}`);

describe("how Open vSwitch is", () => {
  it("is well where each host has a tunnel to each other one, also to those that were not seen", () => {
    const seen = [host("a1", to("a2", "a3")), host("a2", "cannot be asked"), host("a3")];
    assert.deepEqual(rows(...seen), ["a1: tunnels to 2 of 2 hosts", "a2: cannot be asked", "a3: not seen"]);
    assert.deepEqual(told(...seen), []);
  });

  it("is well on a single host, which has neither tunnels nor, without networks, OpenFlow rules", () => {
    const alone = host("a1", { flows: 0 });
    assert.deepEqual(rows(alone), ["a1: tunnels to 0 of 0 hosts"]);
    assert.deepEqual(told(alone), []);
  });

  it("names a host on which it does not run, and not what follows from that", () => {
    const units = { ...well.units, "ovs-vswitchd": "failed" };
    const seen = [host("a1", to("a2")), host("a2", { switch: false, units, flows: 0 })];
    assert.deepEqual(rows(...seen)[1], "a2: Open vSwitch (ovs-vswitchd) does not answer (its unit is failed)");
    assert.deepEqual(told(...seen), [
      "openvswitch-stopped broken: a2: Open vSwitch (ovs-vswitchd) does not answer (its unit is failed), so its containers reach no other host",
    ]);
  });

  it("warns of a database that does not answer, while the switch still forwards", () => {
    const units = { ...well.units, "ovsdb-server": "inactive" };
    assert.deepEqual(told(host("a1", { database: false, units }), host("a2", to("a1"))), [
      "openvswitch-stopped warning: a1: Open vSwitch's database (ovsdb-server) does not answer (its unit is inactive), so nothing of its bridge can be changed, and after a restart nothing passes",
    ]);
  });

  it("names the hosts to which one has no tunnel", () => {
    const seen = [host("a1", to("a3")), host("a2", to("a1", "a3")), host("a3", to("a1", "a2"))];
    assert.deepEqual(rows(...seen)[0], "a1: tunnels to 1 of 2 hosts");
    assert.deepEqual(told(...seen), ["openvswitch-tunnel broken: a1: its bridge has no tunnel to a2, so nothing passes between their containers"]);
  });

  it("names a bridge that has lost its OpenFlow rules, and a host whose networks are not isolated any more", () => {
    assert.deepEqual(told(host("a1", { ...to("a2"), flows: 0 }), host("a2", { ...to("a1"), apart: false })), [
      "openvswitch-flows broken: a1: its bridge has no OpenFlow rules, and drops everything that its containers send",
      "openvswitch-apart broken: a2: its nftables table pulumi_swarm_openvswitch is gone, so it routes between networks that should be isolated",
    ]);
  });
});

describe("how VLANs of the user's switches are", () => {
  const trunk = (state: SwitchState["trunks"][number]["state"]): SeenPart<SwitchState> =>
    host("a1", { trunks: [{ name: "rack", interface: "eth1", state }] });

  it("names one whose interface is away or unplugged, or is no longer in its bridge, which alone an up would mend", () => {
    const seen = (["up", "missing", "unplugged", "loose"] as const).flatMap((state) => openvswitchStatus.findings([trunk(state)], now));
    assert.deepEqual(
      seen.map(
        ({ severity, text, drift = false }) =>
          `${severity}${drift ? ", drift" : ""}: ${text.replace(", so machines on its VLAN and containers do not reach each other", "")}`,
      ),
      [
        "warning: a1: the interface eth1 of the trunk rack is not there",
        "warning: a1: the interface eth1 of the trunk rack is not connected",
        "broken, drift: a1: the interface eth1 of the trunk rack is not in its bridge",
      ],
    );
  });

  it("says nothing of it where Open vSwitch does not run", () => {
    const stopped = host("a1", { switch: false, trunks: [{ name: "rack", interface: "eth1", state: "loose" }] });
    assert.deepEqual(
      told(stopped).map((line) => line.split(" ")[0]),
      ["openvswitch-stopped"],
    );
  });
});

/** As `ip -d -o link` writes it, shortened at the end. */
const vxlan = (link: string, remote: string): string =>
  String.raw`4: ${link}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\    link/ether a6:2c:a8:e8:ec:11 brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu 68 maxmtu 65535 \    vxlan id 4097 remote ${remote} local 10.0.0.1 srcport 0 0 dstport 4790 nolearning ttl auto ageing 300`;

describe("the script that looks at Open vSwitch", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "openvswitch-status-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** On a host whose programs answer so. */
  function look(answers: Readonly<Record<string, string>>): unknown {
    for (const [name, text] of Object.entries(answers)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const said = execFileSync("sh", ["-s", "status"], { input: openvswitchStatus.script, env: { PATH: `${folder}:${process.env["PATH"]}` } });
    return JSON.parse(said.toString());
  }

  const ip = `cat <<'END'\n${vxlan("ovx-3", "10.0.0.2")}\n${vxlan("ovx-30", "10.0.0.9")}\n${vxlan("flannel.1", "10.0.0.3")}\nEND`;
  const nothing = {
    ip: "exit 1",
    systemctl: "echo inactive; exit 3",
    nft: "exit 1",
    "ovs-vsctl": "exit 1",
    "ovs-appctl": "exit 1",
    "ovs-ofctl": "exit 1",
  };

  it("counts a link as a tunnel if it is a port of the bridge", () => {
    const answers = {
      ip,
      systemctl: "echo active",
      nft: "exit 0",
      "ovs-vsctl": "echo ovb-12345678; echo ovx-3",
      "ovs-appctl": "exit 0",
      "ovs-ofctl": "echo NXST_FLOW reply; echo ' priority=10,in_port=4 actions=NORMAL'; echo ' priority=20,arp actions=NORMAL'",
    };
    assert.deepEqual(look(answers), { ...well, flows: 2, tunnels: ["10.0.0.2"] });
  });

  it("answers on a host on which nothing of it runs, too", () => {
    const units = { "ovsdb-server": "inactive", "ovs-vswitchd": "inactive", bridge: "inactive" };
    assert.deepEqual(look(nothing), { database: false, switch: false, units, flows: 0, apart: false, tunnels: [], trunks: [] });
  });
});
