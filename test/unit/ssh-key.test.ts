import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { utils } from "ssh2";
import { deriveSshKey } from "../../components/remote/ssh-key";

describe("deriveSshKey", () => {
  it("derives the same key, to the last byte, from the same secret and label", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (secret, label) => assert.deepEqual(deriveSshKey(secret, label), deriveSshKey(secret, label))));
  });

  it("derives another key for another secret and for another label", () => {
    const keys = [deriveSshKey("a", "client"), deriveSshKey("b", "client"), deriveSshKey("a", "host control-1"), deriveSshKey("a", "host control-2")];
    assert.equal(new Set(keys.map(({ publicKey }) => publicKey)).size, keys.length);
    assert.equal(new Set(keys.map(({ privateKey }) => privateKey)).size, keys.length);
  });

  it("derives the key it derived before: another one would replace every local host", () => {
    assert.equal(deriveSshKey("secret", "client").publicKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID1+pIdy0/YypzOXWHSvi2ItCobGnV7BG9++3uotlzc2");
  });

  it("writes a private key that ssh2 reads and that signs for the public key", () => {
    fc.assert(
      fc.property(fc.string(), (label) => {
        const { privateKey, publicKey } = deriveSshKey("secret", label);
        const [own, theirs] = [utils.parseKey(privateKey), utils.parseKey(publicKey)];
        if (own instanceof Error) throw own;
        if (theirs instanceof Error) throw theirs;
        assert.equal(own.type, "ssh-ed25519");
        assert.equal(`ssh-ed25519 ${own.getPublicSSH().toString("base64")}`, publicKey);
        const signature = own.sign("message");
        assert.ok(Buffer.isBuffer(signature));
        assert.equal(theirs.verify("message", signature), true);
      }),
      { numRuns: 50 },
    );
  });

  it("writes a private key that ssh-keygen reads, of the same public key", function () {
    if (spawnSync("ssh-keygen", ["-?"]).error) this.skip();
    const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-key-"));
    try {
      for (const label of ["client", "host control-1", "é"]) {
        const { privateKey, publicKey } = deriveSshKey("secret", label);
        const file = join(folder, "key");
        rmSync(file, { force: true });
        writeFileSync(file, privateKey, { mode: 0o600 });
        const { status, stdout, stderr } = spawnSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
        assert.equal(status, 0, stderr);
        assert.equal(stdout.trim().split(" ").slice(0, 2).join(" "), publicKey);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
