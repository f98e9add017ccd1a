import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadBridgesScript } from "../../components/overlays/routed/scripts";

const networks = [
  "swarm web ov-web ovp-web ovq-web 10.97.17.129/26 0.0.0.192 0.0.0.128",
  "swarm db ov-db ovp-db ovq-db 10.97.17.65/26 0.0.0.192 0.0.0.64",
];

/** What an overlay's `bridges.sh` tells nftables on a host whose programs only write down what they are told. */
function rulesOf(overlay: string, lines: readonly string[], routes = ""): string {
  const folder = mkdtempSync(join(tmpdir(), "routed-rules-"));
  const program = (name: string, text: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  try {
    writeFileSync(join(folder, "bridges"), loadBridgesScript(join(__dirname, "../../components/overlays", overlay)));
    writeFileSync(join(folder, "settings"), "SPACE=10.97.0.0/17\nSUBNET=10.97.17.0/24\nMTU=1450\n");
    writeFileSync(join(folder, "networks"), lines.map((line) => `${line}\n`).join(""));
    program("nft", `cat >"${folder}/said"`);
    program("ip", `case "$*" in *"show default"*) printf '${routes}' ;; esac`);
    for (const quiet of ["iptables", "iptables-restore"]) program(quiet, "exit 0");
    execFileSync("sh", [join(folder, "bridges"), "up"], { env: { PATH: `${folder}:${process.env["PATH"]}` } });
    return readFileSync(join(folder, "said"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const overlay of ["flannel", "calico"]) {
  describe(`the rules for containers of ${overlay}`, () => {
    const apart = 'iifname { "ov-web", "ov-db" } meta oifkind "bridge" oifname != { "ov-web", "ov-db" }';

    it("keep them off the host's other bridges, of which Docker keeps only its own apart, but for what is published there", () => {
      assert.ok(rulesOf(overlay, networks).includes(`    ${apart} ct status & dnat == 0 drop\n`));
    });

    it("let them out by a bridge that is the host's own way out", () => {
      const routes = "default via 10.0.0.1 dev br0 proto dhcp\\ndefault via 10.0.1.1 dev br1 metric 200\\n";
      assert.ok(rulesOf(overlay, networks, routes).includes(`    ${apart} oifname != { "br0", "br1" } ct status & dnat == 0 drop\n`));
    });

    it("say nothing of bridges where there are no networks", () => {
      assert.doesNotMatch(rulesOf(overlay, []), /oifkind/);
    });
  });
}
