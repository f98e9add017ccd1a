import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadHostScript, scriptInput } from "../../components/remote/script";

const folder = join(__dirname, "../../components/overlays/openvswitch/trunks");
const script = `${loadHostScript(folder, "refuse.sh")}\nrefuse_trunks\necho "{}"\n`;
/** The one interface that each machine has, with MTU 65536. */
const line = "rack lo ovt-1 120 ovq-1 ovr-1 7 10.98.3.0/26 a\nother - ovt-2 120 ovq-2 ovr-2 9 10.98.35.0/26 b";

describe("what stands in the way of a trunk on a host", () => {
  let programs: string;
  beforeEach(() => (programs = mkdtempSync(join(tmpdir(), "trunks-"))));
  afterEach(() => rmSync(programs, { recursive: true }));

  /** On a host whose programs answer so. @returns what it is refused with, or nothing */
  function refused(answers: Readonly<Record<string, string>>, values: Readonly<Record<string, string>> = {}): string {
    for (const [name, text] of Object.entries({ ip: "exit 0", readlink: "exit 1", "ovs-vsctl": "exit 1", ...answers })) {
      writeFileSync(join(programs, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(programs, name), 0o755);
    }
    const input = scriptInput(script, "up", { TRUNKS: line, ADDRESS: "10.0.0.2", MTU: "1446", LOG: join(programs, "log"), ...values });
    const { status, stderr } = spawnSync("sh", ["-s"], { input, encoding: "utf8", env: { PATH: `${programs}:${process.env["PATH"]}` } });
    assert.equal(status === 0, stderr === "", stderr);
    return stderr.trim();
  }
  const withAddress = (address: string): string => `case "$*" in *address*) echo "1: lo    inet ${address} scope global lo" ;; esac`;

  it("is nothing, where the interface is there and nobody else's", () => {
    assert.equal(refused({}), "");
    assert.equal(refused({}, { TRUNKS: "" }), "");
  });

  it("is an interface that it does not have, unless it had it and may have it again", () => {
    const gone = { TRUNKS: line.replace(" lo ", " eth-none ") };
    assert.match(
      refused({}, gone),
      /^this host has no interface eth-none, which the trunk rack is to use\. Fix: name the one that is connected to the switch; it has:/,
    );
    assert.equal(refused({ "ovs-vsctl": "echo ovt-1" }, gone), "");
  });

  it("is an address on it, above all that by which hosts reach each other", () => {
    assert.match(
      refused({ ip: withAddress("192.0.2.7/24") }),
      /^the interface lo of the trunk rack has the address 192\.0\.2\.7\/24 of this host, and Open vSwitch would/,
    );
    assert.match(refused({ ip: withAddress("10.0.0.2/24") }), /has the address 10\.0\.0\.2\/24 of this host, by which other hosts reach it, and/);
    // A router on the switch may have told the host an address, once it was up.
    assert.equal(refused({ ip: withAddress("192.0.2.7/24"), "ovs-vsctl": "echo ovt-1" }), "");
  });

  it("is another bridge or bond that it belongs to", () => {
    assert.match(refused({ readlink: "echo ../bond0" }), /^the interface lo of the trunk rack is a part of bond0\. Fix: name bond0/);
    assert.match(refused({ "ovs-vsctl": "echo br-ex" }), /^the interface lo of the trunk rack is in the bridge br-ex of Open vSwitch/);
    assert.equal(refused({ readlink: "echo ../ovs-system", "ovs-vsctl": "echo ovt-1" }), "");
  });

  it("is the VLAN as a link of the host's own, and no other VLAN", () => {
    const own = (id: number): string =>
      `case "$*" in *vlan*) echo '5: lo.x@lo: <UP> mtu 1500 \\    vlan protocol 802.1Q id ${id} <REORDER_HDR> addrgenmode eui64' ;; esac`;
    assert.match(refused({ ip: own(120) }), /^VLAN 120 of lo, which the trunk rack is to use, is this host's own link lo\.x already/);
    assert.equal(refused({ ip: own(12) }), "");
  });

  it("is an MTU that is smaller than that of containers", () => {
    assert.match(
      refused({}, { MTU: "70000" }),
      /^the interface lo of the trunk rack has MTU 65536, and packets of containers have up to 70000 bytes\. Fix: ip link set lo mtu 70000/,
    );
  });
});
