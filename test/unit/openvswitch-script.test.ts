import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSwitchScript } from "../../components/overlays/scripts";

const networks = [
  "web ovp-1 ovb-1 ovg-1 ovh-1 7 10.98.0.1/19 10.98.0.0/26 10.98.0.0/19",
  "db ovp-2 ovb-2 ovg-2 ovh-2 9 - 10.98.32.64/26 10.98.32.0/19",
];

/** What `bridge.sh` tells Open vSwitch and nftables, on a host whose programs only write down what they are told. */
class Told {
  readonly folder = mkdtempSync(join(tmpdir(), "openvswitch-"));

  constructor(files: Readonly<Record<string, string>>) {
    writeFileSync(join(this.folder, "bridge"), loadSwitchScript(join(__dirname, "../../components/overlays/openvswitch")));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
    this.program("ovs-vsctl", "exit 0");
    this.program("ovs-ofctl", `echo "$*" >"${this.folder}/said"; cat >>"${this.folder}/said"`);
    this.program("nft", `cat >"${this.folder}/said"`);
    this.program("ip", 'echo "default via 10.0.0.1 dev br0 proto dhcp"');
  }

  program(name: string, text: string): void {
    writeFileSync(join(this.folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(this.folder, name), 0o755);
  }

  by(verb: string): string {
    execFileSync("sh", [join(this.folder, "bridge"), verb], { env: { PATH: `${this.folder}:${process.env["PATH"]}` } });
    return readFileSync(join(this.folder, "said"), "utf8");
  }
}

describe("the bridge of Open vSwitch", () => {
  let told: Told;
  const on = (datapath: "system" | "netdev", files: object = { tunnels: "ovx-3 4 10.0.0.3 4\n", networks: `${networks.join("\n")}\n` }): Told =>
    (told = new Told({ settings: "HERE=10.0.0.2\nUDP_PORT=4790\nMTU=1446\n", datapath: `${datapath}\n`, ...files }));
  afterEach(() => rmSync(told.folder, { recursive: true }));

  it("lets containers send from the addresses of their host's range alone, and other hosts and the host itself what they like", () => {
    assert.deepEqual(on("system").by("flows").trim().split("\n"), [
      "--bundle replace-flows ovs-swarm -",
      "priority=10,in_port=4,actions=NORMAL",
      "priority=20,in_port=10007,arp,arp_spa=10.98.0.0/26,actions=NORMAL",
      "priority=20,in_port=10007,ip,nw_src=10.98.0.0/26,actions=NORMAL",
      "priority=10,in_port=20007,actions=NORMAL",
      "priority=20,in_port=10009,arp,arp_spa=10.98.32.64/26,actions=NORMAL",
      "priority=20,in_port=10009,ip,nw_src=10.98.32.64/26,actions=NORMAL",
    ]);
  });

  it("stands on a host without networks and without others, too", () => {
    // As a file is written that has no line.
    const none = { tunnels: "\n", networks: "\n" };
    assert.equal(on("netdev", none).by("flows").trim(), "--bundle replace-flows ovs-swarm -");
    assert.doesNotMatch(told.by("rules"), /masquerade|hook ingress/);
    told.program("ovs-vsctl", `echo "$*" >>"${told.folder}/said"`);
    for (const quiet of ["systemctl", "iptables", "modprobe", "nft", "ovs-ofctl"]) told.program(quiet, "exit 0");
    const said = told.by("up");
    assert.match(said, /add-br ovs-swarm/);
    assert.doesNotMatch(said, /add-port/);
  });

  it("takes a tunnel that leads elsewhere out of the bridge before it is made anew: a program would go on listening to the old one", () => {
    // The one link that each machine has.
    on("netdev", { tunnels: "lo 4 10.0.0.3 4\n", networks: "\n" });
    for (const quiet of ["systemctl", "iptables", "modprobe", "nft", "ovs-ofctl"]) told.program(quiet, "exit 0");
    told.program("ovs-vsctl", `echo "$*" >>"${told.folder}/said"`);
    told.program("ip", `echo "ip $*" >>"${told.folder}/said"`);
    const said = told.by("up");
    assert.match(
      said,
      /if-exists del-port ovs-swarm lo\nip link delete lo\nip link add lo type vxlan id 4 local 10\.0\.0\.2 remote 10\.0\.0\.3 [^]*may-exist add-port ovs-swarm lo/,
    );
  });

  it("routes nothing into a network nor from one to another, and translates what goes out of those that have a way out", () => {
    const rules = on("system").by("rules");
    assert.match(rules, /^table inet pulumi_swarm_openvswitch\ndelete table inet pulumi_swarm_openvswitch\n/);
    const lines = rules
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    const forward = lines.slice(lines.indexOf("chain forward {") + 2, lines.indexOf("}"));
    assert.deepEqual(forward, [
      // Where containers hang, the host is nobody: what is for it comes by its gate.
      'iifname "ovp-*" drop',
      "ct state established,related accept",
      'oifname "ovg-*" drop',
      'iifname "ovg-*" meta oifkind "bridge" oifname != { "br0" } drop',
    ]);
    assert.match(rules, /hook input priority filter - 4; policy accept;\n +iifname "ovp-\*" drop\n/);
    assert.deepEqual(
      lines.filter((line) => line.endsWith("masquerade")),
      ['ip saddr 10.98.0.0/19 oifname != "ovg-*" masquerade'],
    );
  });

  const trunks = "rack eth1 ovt-1 120 ovq-1 ovr-1 7 10.98.3.0/26 a\nother - ovt-1 130 ovq-2 ovr-2 9 10.98.35.0/26 b\n";
  const quieten = (...more: readonly string[]): void => {
    for (const quiet of ["systemctl", "iptables", "modprobe", "nft", "ovs-ofctl", "ovs-appctl", "ip", ...more]) told.program(quiet, "exit 0");
  };

  it("lets machines on a VLAN outside send from their own range alone, and nobody else from it", () => {
    const flows = on("system", { tunnels: "ovx-3 4 10.0.0.3 4\n", networks: "\n", trunks }).by("flows").trim().split("\n");
    assert.deepEqual(flows, [
      "--bundle replace-flows ovs-swarm -",
      "priority=10,in_port=4,actions=NORMAL",
      "priority=20,in_port=30007,arp,arp_spa=10.98.3.0/26,actions=NORMAL",
      "priority=15,dl_vlan=7,arp,arp_spa=10.98.3.0/26,actions=drop",
      "priority=20,in_port=30007,ip,nw_src=10.98.3.0/26,actions=NORMAL",
      "priority=15,dl_vlan=7,ip,nw_src=10.98.3.0/26,actions=drop",
    ]);
    const rules = told.by("rules").split("\n");
    // Also on hosts that do not carry it.
    assert.deepEqual(
      rules.filter((line) => line.includes("ip saddr")).map((line) => line.trim()),
      ['iifname "ovg-*" ip saddr 10.98.3.0/26 drop', 'iifname "ovg-*" ip saddr 10.98.35.0/26 drop'],
    );
  });

  it("puts the interface into a switch of its own, which takes these VLANs from it alone, and removes what is not asked for first", () => {
    on("system", { tunnels: "\n", networks: "\n", trunks: trunks.replace("other -", "other eth1") });
    quieten();
    told.program(
      "ovs-vsctl",
      `echo "$*" >>"${told.folder}/said"; case "$*" in *list-br) echo ovs-swarm; echo ovt-old; echo ovt-1; echo br0 ;; *list-ports*ovt-1) echo eth1; echo ovr-1; echo ovr-old ;; esac`,
    );
    const said = told.by("up").split("\n");
    const at = (pattern: RegExp): number => said.findIndex((line) => pattern.test(line));
    const made = at(/add-br ovt-1/);
    assert.match(
      said[made] ?? "",
      /add-port ovt-1 eth1 -- set port eth1 vlan_mode=trunk trunks=120,130 -- .*set port ovr-1 tag=120 -- .*set port ovq-1 tag=7 /,
    );
    assert.match(said[made] ?? "", /set interface ovq-1 type=patch options:peer=ovr-1 ofport_request=30007/);
    assert.ok(at(/del-br ovt-old/) >= 0 && at(/del-br ovt-old/) < made);
    assert.ok(at(/del-port ovt-1 ovr-old/) >= 0 && at(/del-port ovt-1 ovr-old/) < made);
    assert.equal(said.filter((line) => /del-(br|port) .*(br0|ovs-swarm|eth1|ovr-1)$/.test(line)).length, 0);
  });

  it("takes all of it off, also where no file says what there was", () => {
    on("system", { tunnels: "\n", networks: "\n" });
    quieten();
    told.program("ovs-vsctl", `echo "$*" >>"${told.folder}/said"; case "$*" in *list-br) echo ovs-swarm; echo ovt-1; echo br0 ;; esac`);
    assert.deepEqual(told.by("down").match(/del-br \S+/g), ["del-br ovt-1", "del-br ovs-swarm"]);
  });

  it("has the kernel hear nothing on ports that a program reads, and leaves the kernel's own datapath alone", () => {
    assert.match(on("netdev").by("rules"), /hook ingress devices = \{ "ovx-3","ovb-1","ovh-1","ovb-2" \} priority 0; policy drop;/);
    rmSync(told.folder, { recursive: true });
    assert.doesNotMatch(on("system").by("rules"), /hook ingress/);
  });
});
