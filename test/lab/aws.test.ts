import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { SshSession } from "../../components/remote/ssh";
import { ClusterShell, type LocalStackOutputs, proveByName } from "../../tools/lab/cluster";
import { defaultImage, docker } from "../../tools/lab/machines";
import { run } from "../../tools/lab/pulumi";
import { asRanges, scanTcp, scanUdp } from "../../tools/lab/scan";
import { standIn } from "../plugins/clouds/install";
import { CloudLab, good } from "./cloud-lab";
import { assertNoChange, changes } from "./lab";

/**
 * The program that users copy, from user data to services that talk, on a stand-in for EC2: its instances are machines of the lab
 * that boot by cloud-init and install Docker themselves. Each test goes on from where the one before it ended.
 */
describe("three managers on EC2", function () {
  this.timeout(400_000);
  this.bail(true);
  const cloud = standIn("aws", "lab-aws", { addresses: 20 });
  const { account } = cloud;
  const lab = new CloudLab("aws-lab", [cloud]);
  const { stack } = lab;
  const name = "cl";
  let first: LocalStackOutputs;

  const withShell = <T>(task: (shell: ClusterShell) => Promise<T>): Promise<T> => lab.withShell(task);
  const nodes = (shell: ClusterShell): Promise<string[]> =>
    shell.on("control-1", "docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'").then((lines) => lines.split("\n").sort());

  const machineOf = (key: string): Promise<string> =>
    docker("ps", "--filter", `name=^${account.containerName(`${name}-${key}`)}`, "--format", "{{.Names}}");

  before(async () => {
    await lab.begin();
    // The outer machine is seen as the first address of the VPC.
    await stack.setConfig({ name, workers: "0", network: "10.233.0.0/21" });
    good(await stack.pulumi(["config", "set", "--path", "ssh[0]", "10.233.0.1/32"]));
  });
  after(() => lab.end());

  it("become a swarm by one up, which makes what the preview showed", async () => {
    const shown = changes(good(await stack.preview()))["to create"];
    const made = good(await stack.up());
    assert.equal(changes(made)["created"], shown);
    first = await stack.outputs<LocalStackOutputs>();
    await withShell(async (shell) => {
      const found = await nodes(shell);
      assert.deepEqual(
        found.map((node) => node.replace("Leader", "Reachable")),
        [1, 2, 3].map((n) => `control-${n} Ready Reachable`),
      );
    });
  });

  it("have booted with their user data: one host key, one login, nothing wrong on the way", async () => {
    await withShell(async (shell) => {
      for (const key of shell.keys) {
        assert.match(await shell.on(key, "cloud-init status --wait"), /status: done/);
        assert.equal(await shell.on(key, "ls /etc/ssh/ssh_host_*_key"), "/etc/ssh/ssh_host_ed25519_key");
        assert.equal(await shell.on(key, "hostname; sudo -n true 2>&1"), key, "its name is one that it knows");
      }
    });
    const { connections } = first;
    const refused = { ...(connections["control-1"] ?? assert.fail()), user: "root" };
    await assert.rejects(SshSession.open("root", refused, { reachable: 3000, dial: 3000, keepAlive: 5000 }));
  });

  it("let a container in one zone reach a service in another by its name", async () => {
    assert.equal(await withShell((shell) => proveByName(shell, "control-1", "control-3", "web")), "hello from control-3");
  });

  it("are open to whom the plan says and nobody else, by the security groups alone and with the hosts' own firewall", async () => {
    const vpc = (await run("docker", ["network", "ls", "--filter", `name=^${account.prefix}-vpc-`, "--format", "{{.Name}}"])).stdout.trim();
    const outsider = account.containerName("outsider");
    const options = ["--label", `${account.label.label}=${account.label.value}`, "--network", vpc, "--ip", "10.233.0.200", "--cap-add", "NET_ADMIN"];
    await docker("run", "-d", "--name", outsider, ...options, defaultImage, "sleep", "infinity");
    try {
      const target = { machine: await machineOf("control-2"), address: first.hosts["control-2"]?.address ?? "" };
      const look = async (scanner: string): Promise<object> => ({
        tcp: asRanges(await scanTcp(scanner, target)),
        udp: asRanges(await scanUdp(scanner, target)),
      });
      const member = await machineOf("control-1");
      const planned = { tcp: ["2377", "7946"], udp: ["4789", "7946"] };
      assert.deepEqual(await look(outsider), { tcp: [], udp: [] });
      assert.deepEqual(await look(member), planned);
      await docker("exec", target.machine, "nft", "delete", "table", "inet", "pulumi_swarm");
      assert.deepEqual(await look(outsider), { tcp: [], udp: [] });
      assert.deepEqual(await look(member), planned);
    } finally {
      await run("docker", ["rm", "-f", "-v", outsider]);
    }
  });

  it("are left alone by a second up, and by one after a refresh", async () => {
    assertNoChange(good(await stack.up()));
    assertNoChange(good(await stack.refresh()));
    assertNoChange(good(await stack.up()));
  });

  it("have no private key and no token in the state that is not encrypted, nor in tags", async () => {
    const state = await stack.export();
    assert.doesNotMatch(state, /BEGIN OPENSSH PRIVATE KEY|SWMTKN/);
    const known = JSON.parse(readFileSync(account.file, "utf8")) as Record<string, { properties: { tags?: object } }>;
    for (const { properties } of Object.values(known)) assert.doesNotMatch(JSON.stringify(properties.tags ?? {}), /PRIVATE|SWMTKN/);
  });

  it("are refused in other zones: nothing is touched, and the way to keep them is said", async () => {
    good(await stack.pulumi(["config", "set-all", "--path", "--plaintext", "zones[0]=a", "--plaintext", "zones[1]=c"]));
    const preview = await stack.preview();
    assert.notEqual(preview.code, 0);
    assert.match(
      preview.stdout,
      /control-2 stands in zone b, and zones would put it into c\. Nothing was changed\. Fix: write zones so that it stays/,
    );
    const up = await stack.up();
    assert.notEqual(up.code, 0);
    assert.doesNotMatch(up.stdout, /aws:ec2:(Instance|NetworkInterface) cl-control-\d (updating|replacing|deleting)/);
    good(await stack.pulumi(["config", "rm", "zones"]));
    assert.equal(changes(good(await stack.up()))["updated"], 2, "the two hosts' lines in the preview");
  });

  it("are three again after one was terminated behind our back: same swarm, same name, same addresses", async () => {
    await docker("rm", "-f", "-v", await machineOf("control-2"));
    const up = good(await stack.up(undefined, "--refresh"));
    assert.deepEqual([changes(up)["created"], changes(up)["updated"]], [1, 3], up.stdout);
    const again = await stack.outputs<LocalStackOutputs>();
    assert.equal(again.swarmId, first.swarmId);
    assert.equal(again.hosts["control-2"]?.address, first.hosts["control-2"]?.address);
    assert.notEqual(again.hosts["control-2"]?.nodeId, first.hosts["control-2"]?.nodeId);
    assert.deepEqual(again.connections["control-2"], first.connections["control-2"], "the same address, and the same host key");
    await withShell(async (shell) => {
      assert.equal((await nodes(shell)).length, 3, "the dead node is gone");
      assert.equal(await proveByName(shell, "control-2", "control-1", "web"), "hello from control-1");
    });
  });

  it("are gone after a destroy, with all that was made for them", async () => {
    good(await stack.destroy());
    assert.deepEqual(JSON.parse(readFileSync(account.file, "utf8")), {});
    assert.equal((await run("docker", ["ps", "-aq", "--filter", `name=^${account.prefix}-`])).stdout, "");
  });
});
