import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { policyLines } from "../../components/network-policy/compile";
import { hostNetworks, networksFile } from "../../components/overlays/routed/networks";
import { loadBridgesScript } from "../../components/overlays/routed/scripts";
import { evaluate, type Packet } from "./firewall-evaluator";

type Overlay = "calico" | "flannel";
const overlays: readonly Overlay[] = ["calico", "flannel"];

const space = "10.96.0.0/16";
const subnet = "10.96.1.0/24";
const slices = [
  { name: "web", slice: "0.0.0.0/26" },
  { name: "db", slice: "0.0.0.64/26" },
  { name: "bridge", slice: "0.0.0.224/27" },
];
const host = { key: "a", role: "manager", group: "control", site: "here", address: "10.1.0.1" } as const;
const policy = {
  hostPrefix: 24,
  policies: [
    { name: "web may reach db", from: ["web"], to: ["db"], protocol: "tcp", ports: ["5432"] },
    { name: "the office may reach db", from: ["10.20.0.0/16", "10.0.0.0/8"], to: ["db"], protocol: "tcp", ports: ["5433"] },
  ],
} as const;

const prefixes = { calico: "cal", flannel: "fl" } as const;
const networksOf = (overlay: Overlay): ReturnType<typeof hostNetworks> => hostNetworks(subnet, slices, overlay, prefixes[overlay]);
const bridge = (overlay: Overlay, network: string): string =>
  networksOf(overlay).find(({ name }) => name === network)?.bridge ?? assert.fail(network);

/** What an overlay's `bridges` gives nft, on a host whose programs only write down what they are told. */
function tableOf(overlay: Overlay, policed: boolean, networks = networksFile(networksOf(overlay))): string {
  const folder = mkdtempSync(join(tmpdir(), `${overlay}-`));
  try {
    const { between, outside } = policyLines({ space, slices, ...(policed && { policy }) }, host, [host]);
    const lines = [...between.map((line) => `between ${line}`), ...outside.map((line) => `outside ${line}`)];
    const files = {
      bridges: loadBridgesScript(join(__dirname, "../../components/overlays", overlay)),
      settings: `SPACE=${space}\nSUBNET=${subnet}\nMTU=1450\n`,
      networks: `${networks}\n`,
      policy: `${lines.join("\n")}\n`,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    for (const name of ["ip", "iptables", "iptables-restore", "nft"]) {
      writeFileSync(join(folder, name), name === "nft" ? `#!/bin/sh\ncat >>"${folder}/said"\n` : "#!/bin/sh\nexit 0\n");
      chmodSync(join(folder, name), 0o755);
    }
    execFileSync("sh", [join(folder, "bridges"), "up"], { env: { PATH: `${folder}:${process.env["PATH"]}` }, input: "" });
    return readFileSync(join(folder, "said"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const forwardOf = (table: string): string[] => {
  const lines = table.split("\n").map((line) => line.trim());
  const begin = lines.indexOf("chain forward {") + 2;
  return lines.slice(begin, lines.indexOf("}", begin));
};

for (const overlay of overlays) {
  describe(`networks as tenants, on ${overlay}`, () => {
    const containers = networksOf(overlay).map((network) => network.bridge);
    const [web, db] = [bridge(overlay, "web"), bridge(overlay, "db")];
    const from = (network: string, more: Partial<Packet> = {}): Packet => ({
      hook: "forward",
      source: "10.96.1.2",
      target: "10.96.1.66",
      protocol: "tcp",
      port: 5432,
      arrivesOn: network,
      leavesOn: db,
      bridges: [...containers, "docker0", "br0"],
      ...more,
    });
    const plain = tableOf(overlay, false);
    const policed = tableOf(overlay, true);
    const both = (packet: Packet): string => `${evaluate(plain, packet)} ${evaluate(policed, packet)}`;
    const elsewhere = overlay === "flannel" ? "flannel.1" : "eth0";

    it("are one table, which is replaced in one transaction", () => {
      const table = `inet pulumi_swarm_${overlay}`;
      assert.ok(policed.startsWith(`table ${table}\ndelete table ${table}\ntable ${table} {\n`), policed);
      assert.equal([...policed.matchAll(/^table /gm)].length, 2);
      assert.match(plain, /\n {2}\}\n/);
      assert.doesNotMatch(plain, /outside|policy "/);
      assert.deepEqual(forwardOf(plain).at(-1), `ip daddr ${space} drop`);
      assert.deepEqual(forwardOf(policed).slice(-2), [`ip saddr != ${space} ip daddr ${space} jump outside`, `ip daddr ${space} drop`]);
    });

    it("are read by this machine's nft", function () {
      for (const input of [plain, policed, tableOf(overlay, false, "")]) {
        const { error, status, stderr } = spawnSync("unshare", ["-rn", "nft", "-c", "-f", "-"], { input, encoding: "utf8" });
        if (error !== undefined || /unshare|not found|No such file/.test(stderr)) this.skip();
        assert.equal(status, 0, stderr);
      }
    });

    it("are apart, on a host and between hosts, but for what a policy lets through", () => {
      assert.equal(both(from(web)), "drop accept");
      assert.equal(both(from(elsewhere, { source: "10.96.2.2" })), "drop accept");
      assert.equal(both(from(web, { target: "172.17.0.2", leavesOn: "docker0" })), "drop drop", "Docker's own containers");
      assert.equal(both(from(web, { target: "192.0.2.1", leavesOn: "eth0" })), "accept accept", "the way out");
      for (const more of [{ port: 5433 }, { protocol: "udp" }, { target: "10.96.1.230" }] as const) assert.equal(both(from(web, more)), "drop drop");
      assert.equal(both(from(db, { source: "10.96.1.66", target: "10.96.1.2" })), "drop drop", "the other way round");
      assert.equal(both(from(db, { source: "10.96.1.66", target: "10.96.1.2", established: true })), "accept accept", "an answer");
      assert.equal(both(from(elsewhere, { source: "10.96.2.66", port: 9999 })), "accept accept", "the same network");
    });

    it("never take a forged address, whatever a policy lets through", () => {
      const ofOtherHosts: Packet[] = [
        from(web, { source: "10.96.2.2" }),
        from(web, { source: "10.20.0.9", port: 5433 }),
        from(web, { source: "10.96.1.0", target: "10.96.2.66" }),
        from(elsewhere, { source: "10.96.1.2" }),
      ];
      const ofOtherNetworks: Packet[] = [
        from(db, { source: "10.96.1.2", target: "10.96.3.66" }),
        from(bridge(overlay, overlay), { source: "10.96.1.2" }),
      ];
      const ofOtherBridges: Packet[] = [
        from("docker0", { source: "10.96.2.2", elsewhere: true }),
        from("docker0", { source: "10.20.0.9", port: 5433, elsewhere: true }),
      ];
      for (const packet of [...ofOtherHosts, ...ofOtherNetworks, ...ofOtherBridges]) assert.equal(both(packet), "drop drop", JSON.stringify(packet));
      for (const packet of ofOtherHosts)
        assert.equal(both({ ...packet, established: true }), "drop drop", `in a connection: ${JSON.stringify(packet)}`);
    });

    it("let in those outside whom a policy names, also where the host's own way out is a bridge", () => {
      for (const arrivesOn of ["eth0", "br0"]) {
        assert.equal(both(from(arrivesOn, { source: "10.20.0.9", port: 5433 })), "drop accept", arrivesOn);
        assert.equal(both(from(arrivesOn, { source: "192.0.2.1", port: 5433 })), "drop drop", arrivesOn);
      }
      assert.equal(both(from(web, { port: 5433 })), "drop drop", "a network that holds containers' addresses names none of them");
      assert.equal(both(from(elsewhere, { source: "10.96.2.2", port: 5433 })), "drop drop", "nor those of other hosts");
    });

    it("stand on a host that has no network yet", () => {
      assert.deepEqual(forwardOf(tableOf(overlay, false, "")).slice(0, 3), [
        "ct state established,related accept",
        "ct status dnat accept",
        `meta iifkind "bridge" ip daddr ${space} fib saddr . iif oif missing drop`,
      ]);
    });
  });
}

describe("hosts of flannel", () => {
  const table = tableOf("flannel", false);
  const reaches = (more: Partial<Packet>): string =>
    evaluate(table, { hook: "forward", source: "10.96.2.0", target: "10.96.1.66", protocol: "tcp", port: 80, arrivesOn: "flannel.1", ...more });

  it("reach containers of other hosts, with an address that no container can take", () => {
    assert.equal(reaches({}), "accept");
    assert.equal(reaches({ arrivesOn: "eth0" }), "drop");
    assert.equal(reaches({ source: "10.96.2.2" }), "drop");
  });
});
