import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { daemonSettings } from "../../components/engine/bridges";
import { brokenSession } from "../../components/remote/ssh";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("the cause of a failure on a host", () => {
  it("is named where daemon.json is broken, which Docker notices only at its next start", () => {
    for (const text of ['{"mtu": 1450,}', "[]", '{"mtu": 1450', "live-restore=true"]) {
      assert.throws(
        () => daemonSettings(base64(text)),
        /^Error: its \/etc\/docker\/daemon\.json is no valid JSON, so Docker would not start again with it \(.+\)\. Fix: correct the file or remove it, then run again$/s,
      );
    }
    assert.deepEqual([daemonSettings(""), daemonSettings(base64("\n")), daemonSettings(base64('{"mtu":\n 1450}'))], [{}, {}, { mtu: 1450 }]);
  });

  it("is named where sshd allows one session for each connection", () => {
    assert.match(
      brokenSession("(SSH) Channel open failure: open failed"),
      /sshd opens no further session .*set MaxSessions in its sshd_config to 10/,
    );
    assert.equal(brokenSession("read ECONNRESET"), "the SSH session broke: read ECONNRESET");
  });
});

describe("a look at a host that is still booting", () => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-boot-"));
  after(() => rmSync(folder, { recursive: true }));

  it("waits until systemd answers", () => {
    const asked = join(folder, "asked");
    const systemctl = [
      "#!/bin/sh",
      `echo "$1" >>${asked}`,
      `[ "$1" != show ] || [ "$(grep -c show ${asked})" -gt 2 ] || { echo "Failed to connect to system scope bus" >&2; exit 1; }`,
    ];
    writeFileSync(join(folder, "systemctl"), `${systemctl.join("\n")}\n`);
    chmodSync(join(folder, "systemctl"), 0o755);
    const script = readFileSync(join(__dirname, "..", "..", "components", "engine", "probe.sh"), "utf8");
    const printed = execFileSync("sh", ["-s", "--", "probe"], {
      input: script.replaceAll("/run/systemd/system", folder),
      env: { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` },
      stdio: ["pipe", "pipe", "ignore"],
    });
    assert.equal((JSON.parse(printed.toString().trim().split("\n").at(-1) ?? "") as { systemd: boolean }).systemd, true);
    assert.deepEqual(readFileSync(asked, "utf8").split("\n").slice(0, 4), ["show", "show", "show", "is-active"]);
  });
});
