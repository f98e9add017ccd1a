import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadHostScript, scriptInput } from "../../components/remote/script";

const script = loadHostScript(join(__dirname, "..", "..", "components", "agents"), "power.sh");
const etcd = "pulumi-swarm-flannel-etcd.service";

/** A host whose systemd has these units, and stops all but one. */
class Host {
  readonly folder = mkdtempSync(join(tmpdir(), "power-"));

  constructor(units: readonly string[], stubborn = "none") {
    const words = `#!/bin/sh
case "$1 $2" in
${units.map((unit) => `"cat ${unit}") exit 0 ;;`).join("\n")}
cat*) exit 1 ;;
"stop ${stubborn}") echo "Job for ${stubborn} timed out." >&2; exit 1 ;;
esac
echo "$*" >>'${this.folder}/calls'
`;
    writeFileSync(join(this.folder, "systemctl"), words, { mode: 0o755 });
  }

  run(verb: string): { readonly code: number | null; readonly said: string; readonly calls: readonly string[] } {
    writeFileSync(join(this.folder, "calls"), "");
    const env = { ...process.env, PATH: `${this.folder}:${process.env["PATH"] ?? ""}` };
    const { status, stderr } = spawnSync("sh", ["-s"], { input: scriptInput(script, verb, {}), env, encoding: "utf8" });
    return { code: status, said: stderr.trim(), calls: readFileSync(join(this.folder, "calls"), "utf8").split("\n").filter(Boolean) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

describe("a host whose power is about to be cut", () => {
  let host: Host | undefined;
  afterEach(() => host?.remove());

  it("has its engine stopped first, with the socket that would start it again, and then etcd; a second time too", () => {
    host = new Host(["docker.socket", "docker.service", etcd]);
    for (const time of ["first", "second"]) {
      const { code, said, calls } = host.run("quiet");
      assert.deepEqual([code, said], [0, "its engine is stopped, and all is written"], time);
      assert.deepEqual(calls, ["stop docker.socket", "stop docker.service", `stop ${etcd}`], time);
    }
  });

  it("has nothing stopped that it does not have, and starts the same again where its power was not cut", () => {
    host = new Host(["docker.service"]);
    assert.deepEqual(host.run("quiet").calls, ["stop docker.service"]);
    assert.deepEqual(host.run("wake").calls, ["start --no-block docker.service"]);
  });

  it("says which unit does not stop, and why", () => {
    host = new Host(["docker.socket", "docker.service", etcd], "docker.service");
    const { code, said, calls } = host.run("quiet");
    assert.deepEqual([code, said], [1, "systemctl stop docker.service failed: Job for docker.service timed out."]);
    assert.deepEqual(calls, ["stop docker.socket"]);
  });
});
