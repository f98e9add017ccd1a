import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ClusterShell, type LocalStackOutputs } from "../../tools/lab/cluster";
import { root } from "../../tools/lab/pulumi";
import { standIn } from "../plugins/clouds/install";
import { CloudLab, good } from "./cloud-lab";
import { dialled } from "./dialled";
import { assertNoChange } from "./lab";

/**
 * A stand-in for the AWS CLI: finds the machine by the instance's id in the stand-in for EC2, and is the stream to the SSH server as the
 * machine itself reaches it, which is what Systems Manager's agent does.
 */
const standInCli = `#!/usr/bin/env node
const { readFileSync } = require("node:fs");
const { spawn } = require("node:child_process");
const [ssm, start, , target, , , , port] = process.argv.slice(2);
const machine = JSON.parse(readFileSync(process.env.STAND_IN_CLOUD_AWS, "utf8"))[target];
if (ssm !== "ssm" || start !== "start-session" || !machine) {
  console.error("An error occurred (TargetNotConnected) when calling the StartSession operation: " + target + " is not connected.");
  process.exit(254);
}
const relay = "exec 3<>/dev/tcp/127.0.0.1/" + port.split("=")[1] + "; cat <&3 & cat >&3; kill $!";
const child = spawn("docker", ["exec", "-i", machine.played.container, "bash", "-c", relay], { stdio: "inherit" });
child.on("close", (code) => process.exit(code ?? 1));
`;

describe("a manager on EC2 behind Systems Manager", function () {
  this.timeout(300_000);
  this.bail(true);
  const cloud = standIn("aws", "lab-ssm", { addresses: 20 });
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-ssm-"));
  const path = [folder, cloud.env["PATH"]].join(delimiter);
  const pathBefore = process.env["PATH"];
  const lab = new CloudLab("ssm-lab", [cloud], join(root, "test", "lab", "ssm"), { PATH: path });
  const { stack } = lab;
  before(async () => {
    await lab.begin();
    writeFileSync(join(folder, "aws"), standInCli);
    chmodSync(join(folder, "aws"), 0o755);
    // The shell of this test dials as the product does.
    Object.assign(process.env, { ...cloud.env, PATH: path });
  });
  after(async () => {
    process.env["PATH"] = pathBefore;
    await lab.end();
    rmSync(folder, { recursive: true });
  });

  it("becomes a swarm by one up, though neither its security groups nor its own firewall let SSH in", async () => {
    good(await stack.up());
    const { hosts, connections, dockerHost } = await stack.outputs<LocalStackOutputs>();
    assert.match(dockerHost, /^ssh:\/\/swarm@i-[0-9a-f]+$/);
    assert.equal(await dialled(hosts["control-1"]?.address ?? "", 22), "dropped");
    const shell = new ClusterShell(connections);
    try {
      assert.match(await shell.on("control-1", "docker node ls --format '{{.Hostname}} {{.Status}}'"), /^control-1 Ready$/);
      const asked = await shell.on("control-1", "sudo cat /var/lib/cloud/instance/scripts/runcmd");
      assert.match(asked, /https:\/\/s3\.eu-west-1\.amazonaws\.com\/amazon-ssm-eu-west-1\/latest\/debian_amd64\/amazon-ssm-agent\.deb/);
      await shell.on("control-1", "sudo nft delete table inet pulumi_swarm");
      assert.equal(await dialled(hosts["control-1"]?.address ?? "", 22), "dropped", "by the security groups alone");
    } finally {
      shell.close();
    }
  });

  it("is left alone by a second up", async () => {
    assertNoChange(good(await stack.up()));
  });

  it("is gone after a destroy, with all that was made for it", async () => {
    good(await stack.destroy());
    assert.deepEqual(JSON.parse(readFileSync(cloud.account.file, "utf8")), {});
  });
});
