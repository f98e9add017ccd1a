import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadRoutedScript } from "../../components/overlays/routed/scripts";
import { loadReachingScript } from "../../components/overlays/scripts";
import { loadHostScript, scriptInput } from "../../components/remote/script";

const components = join(__dirname, "../../components");

/** Of each ping while it runs, and of how many ran then. */
const ping = `#!/bin/sh
for address; do :; done
: >"$STAGE/running/$address"
: >"$STAGE/most/$(ls "$STAGE/running" | wc -l)"
sleep 0.1
rm "$STAGE/running/$address"
[ "$address" != 10.0.0.7 ]
`;

describe("a host that looks whether many others answer", () => {
  for (const [name, script] of [
    ["wireguard.sh", loadHostScript(join(components, "underlay/wireguard"), "wireguard.sh")],
    ["flannel.sh", loadRoutedScript(join(components, "overlays/flannel"), "flannel.sh", ["../reached.sh"])],
    ["openvswitch.sh", loadReachingScript(join(components, "overlays/openvswitch"), "openvswitch.sh")],
  ] as const) {
    it(`starts few pings at once, and names those that are silent, in ${name}`, () => {
      const stage = mkdtempSync(join(tmpdir(), "pings-"));
      try {
        for (const sub of ["running", "most"]) mkdirSync(join(stage, sub));
        writeFileSync(join(stage, "ping"), ping, { mode: 0o755 });
        writeFileSync(join(stage, "wg"), "#!/bin/sh\n", { mode: 0o755 });
        const addresses = Array.from({ length: 100 }, (_, index) => `10.0.0.${index + 1}`).join(" ");
        const input = scriptInput(script, "check", { ADDRESSES: addresses, WAIT: "0", INTERFACE: "stage0" });
        const { stdout, stderr } = spawnSync("/bin/sh", ["-s"], {
          input,
          encoding: "utf8",
          env: { PATH: `${stage}:/usr/sbin:/usr/bin:/sbin:/bin`, STAGE: stage },
        });
        assert.equal(stdout.trim(), '{"silent":["10.0.0.7"]}', stderr);
        const most = Math.max(...readdirSync(join(stage, "most")).map(Number));
        assert.ok(most > 1 && most <= 32, `${most} at once`);
      } finally {
        rmSync(stage, { recursive: true });
      }
    });
  }
});
