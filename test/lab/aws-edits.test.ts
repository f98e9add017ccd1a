import assert from "node:assert/strict";
import { type Answers, answeringService, keepAsking, listNodes, type Watched, watchNodes } from "../../tools/lab/asking";
import { ClusterShell, eventually, type LocalStackOutputs } from "../../tools/lab/cluster";
import { LoginWatch } from "../../tools/lab/login-watch";
import { type CommandResult, run } from "../../tools/lab/pulumi";
import { quote } from "../../components/remote/script";
import { SshSession } from "../../components/remote/ssh";
import { deriveSshKey } from "../../components/remote/ssh-key";
import { standIn } from "../plugins/clouds/install";
import { CloudLab, good } from "./cloud-lab";
import { changes } from "./lab";

/**
 * Edits of a cluster on EC2 that works meanwhile: a service is asked all the time, and so are the managers. Each test goes on from
 * where the one before it ended.
 */
describe("three managers and two workers on EC2, while a service is asked", function () {
  this.timeout(400_000);
  this.bail(true);
  const cloud = standIn("aws", "lab-aws-edits", { addresses: 20 });
  const { account } = cloud;
  const lab = new CloudLab("aws-edits", [cloud]);
  const { stack } = lab;
  const name = "ce";
  const network = "10.235.0.0/21";
  const service = "answering";
  const managers = [1, 2, 3].map((n) => account.containerName(`${name}-control-${n}`));

  const withShell = <T>(task: (shell: ClusterShell) => Promise<T>): Promise<T> => lab.withShell(task);

  /** Makes an edit, while a container on `client` asks the service and all managers are looked at. */
  const edit = async (
    client: string,
    config: Readonly<Record<string, string>>,
  ): Promise<{ readonly up: CommandResult; readonly answers: Answers; readonly watched: Watched }> => {
    await stack.setConfig(config);
    return withShell(async (shell) => {
      const stop = await keepAsking(shell, client, "web", service);
      const watched = watchNodes(managers);
      const up = await stack.up();
      const [answers, seen] = [await stop(), await watched()];
      good(up);
      const what = Object.entries(config).map((pair) => pair.join(" "));
      console.log(`      ${what.join(", ")}: ${answers.lost.length} of ${answers.asked} requests lost; ${seen.looks} looks, ${seen.without} in vain`);
      return { up, answers, watched: seen };
    });
  };
  /** Who was drained and who was back, in order. */
  const turns = ({ stdout }: CommandResult): string[] => {
    const found = [...stdout.matchAll(/(\S+-\d+): (is drained|is back)$/gm)].map(([, host, what]) => `${host} ${what}`);
    return [...new Set(found)];
  };
  const oneByOne = (found: readonly string[], hosts: readonly string[]): void => {
    const order = found.filter((_, index) => index % 2 === 0).map((line) => line.split(" ")[0]);
    assert.deepEqual(
      found,
      order.flatMap((host) => [`${host} is drained`, `${host} is back`]),
    );
    assert.deepEqual([...order].sort(), hosts);
  };
  const nodes = (on: string): Promise<string[]> =>
    withShell((shell) => shell.on(on, `sudo sh -ec ${quote(listNodes)}`).then((lines) => lines.split("\n").sort()));
  const leader = async (): Promise<string> => {
    const ask = `docker node inspect $(docker node ls -q) --format '{{index .Spec.Labels "pulumi-swarm.host"}} {{with .ManagerStatus}}{{.Leader}}{{end}}'`;
    const said = await withShell((shell) => shell.on("control-2", `sudo sh -ec ${quote(ask)}`));
    return /^(\S+) true$/m.exec(said)?.[1] ?? assert.fail(`nobody leads: ${said}`);
  };
  /** From which the keys of the hosts follow. */
  const keySecret = async (): Promise<string> => {
    const { stdout } = await stack.pulumi(["stack", "export", "--show-secrets"]);
    const { deployment } = JSON.parse(stdout) as { deployment: { resources: { urn: string; outputs?: { output?: { plaintext: string } } }[] } };
    const kept = deployment.resources.find(({ urn }) => urn.endsWith(`::${name}-aws-keys`))?.outputs?.output;
    return JSON.parse(kept?.plaintext ?? assert.fail("there is no secret")) as string;
  };
  const bootedAt = (key: string): Promise<string> =>
    run("docker", ["inspect", "--format", "{{.State.StartedAt}}", account.containerName(`${name}-${key}`)]).then(({ stdout }) => stdout.trim());

  before(async () => {
    await lab.begin();
    // The outer machine is seen as the first address of the VPC.
    await stack.setConfig({ name, workers: "2", network, addressSpace: "10.100.0.0/14" });
    good(await stack.pulumi(["config", "set", "--path", "ssh[0]", "10.235.0.1/32"]));
    good(await stack.up());
    await withShell(async (shell) => {
      await answeringService(shell, "control-1", "web", service, 4);
      await eventually("all tasks run", 60, async () => {
        const said = await shell.on("control-1", `docker service ls --filter name=${service} --format '{{.Replicas}}'`);
        return said === "4/4" ? said : undefined;
      });
    });
  });
  after(() => lab.end());

  it("change the workers' type one after the other, each drained before and back after", async () => {
    const before = await Promise.all(["edge-1", "edge-2"].map(bootedAt));
    await stack.setConfig({ workerType: "m7i.large" });
    const preview = good(await stack.preview());
    assert.deepEqual(changes(preview)["to update"], 2);
    const { up, watched } = await edit("control-1", { workerType: "m7i.large" });
    assert.equal(changes(up)["updated"], 2);
    oneByOne(turns(up), ["edge-1", "edge-2"]);
    assert.deepEqual([watched.without, watched.together], [0, []]);
    const after = await Promise.all(["edge-1", "edge-2"].map(bootedAt));
    assert.ok(
      after.every((time, index) => time !== before[index]),
      "both were stopped and started",
    );
  });

  it("change the managers' type one after the other, and the quorum is never lost", async () => {
    const led = await leader();
    const { up, watched } = await edit("edge-1", { managerType: "m7i.large" });
    assert.equal(changes(up)["updated"], 3);
    assert.equal(turns(up).at(-1), `${led} is back`, "who leads goes last");
    oneByOne(turns(up), ["control-1", "control-2", "control-3"]);
    assert.deepEqual([watched.without, watched.together], [0, []]);
    const all = [...[1, 2, 3].map((n) => `control-${n} ready active reachable`), ...[1, 2].map((n) => `edge-${n} ready active`)];
    // A new leader knows of nobody at first whether he is there.
    await eventually("all are back", 60, async () => (assert.deepEqual(await nodes("control-2"), all), true));
  });

  it("become five workers and two again without a request that is lost for the cluster's sake", async () => {
    const more = await edit("control-1", { workers: "5" });
    assert.equal(changes(more.up)["deleted"], undefined);
    assert.deepEqual([more.answers.lost, more.watched.without, more.watched.together], [[], 0, []]);
    const fewer = await edit("control-1", { workers: "2" });
    assert.equal(fewer.watched.without, 0);
  });

  it("get another key that logs in by one input: somebody can log in at each moment, and a worker that is made then never knew the old one", async () => {
    const all = ["control-1", "control-2", "control-3", "edge-1", "edge-2"];
    const booted = await Promise.all(all.map(bootedAt));
    const secret = await keySecret();
    const [old, new_] = [deriveSshKey(secret, "client"), deriveSshKey(secret, "client 2")];
    const { connections } = await stack.outputs<LocalStackOutputs>();
    assert.ok(Object.values(connections).every(({ privateKey }) => privateKey === old.privateKey));
    const watch = new LoginWatch(connections, [old.privateKey, new_.privateKey]);
    const { up, answers, watched } = await edit("control-1", { loginKey: "2", workers: "3" });
    const seen = await watch.stop();
    console.log(`      ${JSON.stringify(seen)}`);
    for (const key of all) {
      const { byFirst = 0, bySecond = 0, refused = [] } = seen[key] ?? {};
      assert.deepEqual(refused, [], key);
      assert.ok(byFirst > 0 && bySecond > 0, `${key} was logged in to by both`);
      assert.match(up.stdout, new RegExp(`${key}: is logged in to by the new key alone`));
    }
    assert.deepEqual([answers.lost, watched.without, watched.together], [[], 0, []]);
    assert.deepEqual(await Promise.all(all.map(bootedAt)), booted, "no machine was stopped");
    assert.equal(changes(up)["replaced"], undefined);
    await withShell(async (shell) => {
      const admitted = await Promise.all(shell.keys.map((key) => shell.on(key, "cat ~/.ssh/authorized_keys")));
      assert.equal(admitted.length, 6);
      for (const file of admitted) assert.ok(file.includes(new_.publicKey) && !file.includes(old.publicKey));
      assert.ok(!(await shell.on("edge-3", "sudo cat /var/lib/cloud/instance/user-data.txt")).includes(old.publicKey));
    });
    for (const [key, connection] of Object.entries(connections)) await assert.rejects(SshSession.open(key, connection), /refuse|key/i, key);
    good(await stack.up());
  });

  it("stop at the first host that does not come back, and say which", async () => {
    // Its engine is not started with the machine, as when the disk is full.
    await withShell((shell) => shell.on("edge-1", "sudo systemctl mask docker.service docker.socket"));
    await withShell((shell) => shell.on("edge-2", "sudo systemctl mask docker.service docker.socket"));
    await stack.setConfig({ workerType: "t3.medium" });
    const up = await stack.up();
    assert.notEqual(up.code, 0);
    const [, failed = "", other = failed === "edge-1" ? "edge-2" : "edge-1"] =
      /(edge-\d) was stopped to be changed, and is not back in the swarm:/.exec(up.stdout) ?? [];
    assert.match(up.stdout, new RegExp(`${other} was not changed, because ${failed} `));
    const found = await nodes("control-1");
    assert.ok(found.includes(`${failed} down active`), "it is not left drained");
    assert.ok(found.includes(`${other} ready active`), "it was not stopped");
  });
});
