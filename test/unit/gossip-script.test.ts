import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { Holder } from "../../components/gossip/ports";
import { gossipScript } from "../../components/gossip/ports";
import { scriptInput } from "../../components/remote/script";

/** What `gossip.sh ports` makes of what ss prints. */
function holders(...lines: readonly string[]): readonly Holder[] {
  const ss = `ss() { cat <<'END'\n${lines.join("\n")}\nEND\n}`;
  const { stdout, stderr, status } = spawnSync("sh", ["-s"], {
    input: `LOG=/dev/null\n${ss}\n${scriptInput(gossipScript, "ports", { DATA_PORT: "4789" })}`,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return (JSON.parse(stdout) as { holders: readonly Holder[] }).holders;
}

describe("who has the ports of Docker's network agent, as ss of iproute2 6.1 and 6.15 tell it", () => {
  it("is nobody where ss prints nothing, and not the kernel, which has VXLAN's itself", () => {
    assert.deepEqual(holders(), []);
    assert.deepEqual(holders("udp   UNCONN 0      0            0.0.0.0:4789       0.0.0.0:*          "), []);
  });

  it("is each program once, by protocol and port, with whoever shares its socket", () => {
    assert.deepEqual(
      holders(
        'udp   UNCONN 0      0                  *:7946             *:*    users:(("dockerd",pid=490,fd=36))',
        'tcp   LISTEN 0      4096               *:7946             *:*    users:(("dockerd",pid=490,fd=35),("dockerd",pid=490,fd=37))',
        'udp   UNCONN 0      0            0.0.0.0:4789       0.0.0.0:*    users:(("vtep d",pid=7,fd=3),("socat",pid=19,fd=5))',
      ),
      [
        { protocol: "tcp", port: 7946, program: "dockerd", pid: 490 },
        { protocol: "udp", port: 4789, program: "socat", pid: 19 },
        { protocol: "udp", port: 4789, program: "vtep d", pid: 7 },
        { protocol: "udp", port: 7946, program: "dockerd", pid: 490 },
      ],
    );
  });

  it("is not who has overlay data's port over TCP, which Docker does not use", () => {
    assert.deepEqual(holders('tcp   LISTEN 0      5            0.0.0.0:4789       0.0.0.0:*    users:(("python3",pid=12,fd=3))'), []);
  });
});
