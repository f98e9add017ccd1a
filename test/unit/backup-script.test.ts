import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadHostScript, scriptInput } from "../../components/remote/script";

const script = loadHostScript(join(__dirname, "../../components/backup"), "backup.sh");
const address = "10.0.0.2";

describe("a host on which a backup is to be restored", () => {
  const folder = mkdtempSync(join(tmpdir(), "backup-script-"));
  const root = join(folder, "docker");
  after(() => rmSync(folder, { recursive: true }));

  /** What it says when it is asked whether it fits. */
  function fits(...addresses: readonly string[]): string {
    const ip = join(folder, "ip");
    writeFileSync(ip, `#!/bin/sh\n${addresses.map((each) => `echo "2: eth0    inet ${each}/24 brd 10.0.0.255 scope global eth0"`).join("\n")}\n`);
    chmodSync(ip, 0o755);
    const input = scriptInput(script, "fit", { ROOT: root, ADDRESS: address });
    const { status, stdout, stderr } = spawnSync("sh", ["-s"], { input, encoding: "utf8", env: { PATH: `${folder}:${process.env["PATH"]}` } });
    return status === 0 ? stdout.trim() : stderr.trim();
  }

  it("fits where it is in no swarm and has the address of the manager", () => {
    assert.equal(fits("192.0.2.1", address), "{}");
  });

  it("is refused with another address, which is named, with why and what to do", () => {
    const said =
      "it does not have the address 10.0.0.2. The manager of this backup has that address in the swarm, Docker cannot change it, and hosts that " +
      "join look for the manager there. Fix: name the host that has the address by --to, or give this host the address, and run again. With " +
      'wireguard(), run "pulumi up" first: on a host without Docker it makes the tunnel, and the address with it';
    for (const addresses of [["10.0.0.3"], ["110.0.0.2"], ["10.0.0.22"], []]) assert.equal(fits(...addresses), said, addresses.join());
  });

  it("is refused where there is a swarm's state, with the command that ends it", () => {
    mkdirSync(join(root, "swarm"), { recursive: true });
    writeFileSync(join(root, "swarm", "docker-state.json"), "{}");
    assert.equal(fits(address), 'this host is in a swarm already. Fix: run "docker swarm leave --force" there, and run again');
  });
});
