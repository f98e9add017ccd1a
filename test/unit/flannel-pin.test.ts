import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script = join(__dirname, "../../components/overlays/flannel/pin.sh");

describe("flanneld's device", () => {
  const folder = mkdtempSync(join(tmpdir(), "flannel-pin-"));
  after(() => rmSync(folder, { recursive: true }));
  const program = (name: string, body: string): void => writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });

  /** What links are made before flanneld starts. */
  const made = (backend: string, adding = ""): { readonly status: number | null; readonly stderr: string; readonly asked: string } => {
    const log = join(folder, "asked");
    rmSync(log, { force: true });
    program("etcdctl", `echo '{"PublicIP":"10.99.0.3"}'`);
    program(
      "ip",
      `case "$*" in *address*show*) echo "2: eth0    inet 10.0.0.3/24"; echo "3: swarm0    inet 10.99.0.3/20" ;; *) echo "$*" >>'${log}'; ${adding} ;; esac`,
    );
    const env = {
      ...{ PATH: `${folder}:/usr/bin:/bin`, PIN_KEY: "/coreos.com/network/subnets/10.97.112.0-24", PIN_ADDRESS: "10.99.0.3" },
      ...{ BACKEND: backend, ETCDCTL: join(folder, "etcdctl"), ETCDCTL_ENDPOINTS: "https://10.99.0.1:2379" },
    };
    const { status, stderr } = spawnSync("sh", [script], { env, encoding: "utf8" });
    return { status, stderr: stderr.trim(), asked: existsSync(log) ? readFileSync(log, "utf8").trim() : "" };
  };
  const link = "link add flannel.1 address 02:fa:0a:61:70:00 type vxlan id 1 dev swarm0 local 10.99.0.3 dstport 8472 nolearning";

  it("has the same address after each boot, since it follows from the host's subnet", () =>
    assert.deepEqual(made("vxlan"), { status: 0, stderr: "", asked: link }));

  it("is none where hosts are each other's routers", () => assert.deepEqual(made("host-gw"), { status: 0, stderr: "", asked: "" }));

  it("is left to flanneld where it cannot be made before", () =>
    assert.deepEqual(made("vxlan", "exit 2"), { status: 0, stderr: "flanneld makes its device by itself", asked: link }));
});
