import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ssmCommand } from "../../components/hosts/aws/ssm";
import { carry } from "../../components/remote/proxy";
import { SshSession } from "../../components/remote/ssh";
import { eventually } from "../../tools/lab/cluster";
import { machineKeys, startMachine } from "../../tools/lab/machines";
import { run } from "../../tools/lab/pulumi";
import { dialled } from "./dialled";
import { assertNoChange, Lab } from "./lab";

const keys = machineKeys("proxy");
const prefix = "10.236.1";

/**
 * A stand-in for the AWS CLI: takes the arguments of a session for SSH, and is the stream to the SSH server as the machine itself
 * reaches it, which is what Systems Manager's agent does. Other arguments it refuses, as it does all where it is told to.
 */
const standIn = `#!/bin/bash
[ ! -e "$0.broken" ] || { echo "An error occurred (TargetNotConnected): $4 is not connected." >&2; exit 254; }
[ "$1 $2 $3 $5 $6 $7" = "ssm start-session --target --document-name AWS-StartSSHSession --parameters" ] || { echo "Unknown options: $*" >&2; exit 252; }
exec docker exec -i "$4" bash -c "exec 3<>/dev/tcp/127.0.0.1/\${8#portNumber=}; cat <&3 & cat >&3; kill \\$!"
`;

/** What the stand-in becomes, as the list of processes shows it. */
const carrier = "^docker exec -i px-m";

describe("machines that a program carries the connection to", function () {
  this.timeout(200_000);
  this.bail(true);
  const lab = new Lab("px");
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-proxy-"));
  const aws = join(folder, "aws");
  const proxyCommand = [aws, ...ssmCommand("eu-west-1").slice(1)];
  const group = (role: string, place: number): object => ({
    role,
    site: "rack",
    network: "10.236.0.0/20",
    proxyCommand,
    machines: { a: { address: `px-m${place}`, privateAddress: `${prefix}.${place}`, hostKey: keys.host.publicKey } },
  });
  const cluster = { existing: { head: group("manager", 1), far: group("worker", 2) }, firewall: { ssh: ["127.0.0.1/32"] } };
  const connection = { host: "px-m1", privateKey: keys.client.privateKey, hostKey: keys.host.publicKey, proxyCommand };

  before(async () => {
    await lab.begin();
    writeFileSync(aws, standIn);
    chmodSync(aws, 0o755);
    await run("docker", ["network", "create", "--subnet", "10.236.0.0/20", "px-net"]);
    await Promise.all([1, 2].map((place) => startMachine({ name: `px-m${place}`, address: `${prefix}.${place}`, network: "px-net", keys })));
    await lab.logInWith(keys.client.privateKey);
  });
  after(async () => {
    await lab.end();
    rmSync(folder, { recursive: true });
  });

  it("form a swarm with no port of SSH open to anybody, and stay as they are", async () => {
    await eventually("without a firewall it is open", 30, async () => ((await dialled(`${prefix}.1`, 22)) === "open" ? true : undefined));
    await lab.spec(cluster);
    await lab.up();
    for (const place of [1, 2]) assert.equal(await dialled(`${prefix}.${place}`, 22), "dropped");
    assert.equal(await lab.withShell((shell) => shell.on("head-a", "docker node ls -q | wc -l")), "2");
    assertNoChange(await lab.up());
  });

  it("have left no program behind", async () => {
    await eventually("all have ended", 10, async () => ((await run("pgrep", ["-f", carrier])).stdout === "" ? true : undefined));
    for (const place of [1, 2]) {
      const there = await run("docker", ["exec", `px-m${place}`, "pgrep", "-f", "dev/tcp"]);
      assert.equal(there.stdout, "", "nor a session on the machine");
    }
  });

  it("are not reached without it, and its own words say why", async () => {
    writeFileSync(`${aws}.broken`, "");
    await lab.spec({ ...cluster, reachableSeconds: 5, recheck: "1" });
    const result = await lab.stack.up();
    assert.notEqual(result.code, 0);
    const said = result.stdout.match(/^.*far-a: cannot.*$/m)?.[0] ?? result.stdout;
    assert.match(
      said,
      /far-a: cannot be reached over SSH at root@px-m2:22 through the program \S+aws within 5 s: the program \S+aws ended with exit code 254: An error occurred \(TargetNotConnected\): px-m2 is not connected\./,
    );
    rmSync(`${aws}.broken`);
    await lab.up();
  });

  it("can be worked on for as long as the program lives, and a broken one is said", async () => {
    const session = await SshSession.open("head-a", connection);
    assert.equal((await session.run("hostname", { timeout: 5_000 })).stdout, "px-m1\n");
    const cut = session.run("sleep 60", { timeout: 20_000 });
    await eventually("it has begun", 10, async () => (await run("docker", ["exec", "px-m1", "pgrep", "-fx", "sleep 60"])).stdout || undefined);
    assert.equal((await run("pkill", ["-f", carrier])).code, 0, "there was one");
    assert.notEqual((await cut).code, 0);
    await assert.rejects(session.run("hostname", { timeout: 5_000 }), /^RemoteError: head-a: the SSH session broke/);
    session.close();
  });

  it("are given up when the program says nothing for too long, which ends it", async () => {
    const said = "echo waiting >&2; trap '' HUP; while :; do sleep 1; done";
    const silent = { ...connection, proxyCommand: ["bash", "-c", said, folder] };
    await assert.rejects(
      SshSession.open("head-a", silent, { reachable: 1_000, dial: 1_000, keepAlive: 5_000 }),
      /head-a: .*no answer within 1 s by the program that is to carry the connection, which said waiting\./,
    );
    await eventually("it has ended", 5, async () => ((await run("pgrep", ["-f", folder])).stdout === "" ? true : undefined));
    const stubborn = carry(["sleep", "60"], connection);
    stubborn.stream.end();
    assert.match((await stubborn.ended).message, /sleep ended by SIGKILL/);
  });

  it("are left as they were found by a destroy", async () => {
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    for (const place of [1, 2]) {
      assert.equal(await dialled(`${prefix}.${place}`, 22), "open");
      assert.equal((await run("docker", ["exec", `px-m${place}`, "docker", "info", "-f", "{{.Swarm.LocalNodeState}}"])).stdout.trim(), "inactive");
    }
  });
});
