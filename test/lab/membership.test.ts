import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../tools/lab/cluster";
import { type CommandResult, root, run } from "../../tools/lab/pulumi";
import { assertNoChange, changes, Lab } from "./lab";

const hosts = ["control-1", "control-2", "control-3"];
const unlockKeyForm = /SWMKEY-1-[A-Za-z0-9+/]+/;

/** What only the real engine and real hosts can show of membership; told in order. */
describe("a swarm whose resources are replaced, and whose managers are locked", function () {
  this.timeout(300_000);
  this.bail(true);
  const lab = new Lab("memt");
  const locked = { autolock: true, rotateJoinTokensAfterJoin: true };
  let key = "";
  const base = { local: { control: { role: "manager", count: 3, network: "10.243.0.0/16" } }, networks: { web: {} } };
  /** All that Pulumi ever printed. */
  const said: string[] = [];

  before(async () => {
    await lab.begin();
    await up(base);
  });
  after(() => lab.end());

  async function up(spec: object, ...more: readonly string[]): Promise<CommandResult> {
    await lab.spec(spec);
    const result = await lab.up(...more);
    said.push(result.stdout, result.stderr);
    return result;
  }

  async function mustChangeNothing(): Promise<void> {
    const result = await lab.up();
    said.push(result.stdout, result.stderr);
    assertNoChange(result);
  }

  async function urn(type: string, name: string): Promise<string> {
    const { deployment } = JSON.parse(await lab.stack.export()) as { deployment: { resources: { urn: string }[] } };
    const found = deployment.resources.find((resource) => resource.urn.endsWith(`${type}::${name}`));
    assert.ok(found, `${type} ${name} is in the state`);
    return found.urn;
  }

  async function on(host: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await run("docker", ["exec", `memt-${host}`, "sh", "-c", command]);
    assert.equal(code, 0, `${host}: ${command}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  function running(service: string): Promise<string> {
    return eventually(`${service} runs`, 60, async () => {
      const id = await on("control-1", `docker service ps ${service} --filter desired-state=running --format '{{.CurrentState}}'`);
      return id.startsWith("Running") ? id : undefined;
    });
  }

  const names = (what: string): Promise<string> => on("control-1", `docker ${what} ls --format '{{.Name}} {{.ID}}' | sort`);
  const nodes = (): Promise<string> => on("control-1", "docker node ls --format '{{.ID}} {{.Hostname}} {{.Status}}' | sort");

  it("keeps its nodes, networks and services when the swarm's and the network's resources are replaced", async () => {
    await lab.withShell(async (shell) => {
      await shell.putTestImage();
      await shell.on(
        "control-1",
        "docker service create --detach --quiet --no-resolve-image --network web --name kept pulumi-swarm-busybox:1 sleep 100000",
      );
    });
    await running("kept");
    const { swarmId } = await lab.outputs();
    const before = [await nodes(), await names("network"), await names("service")];
    const resources = ["memt-swarm-intent", "memt-swarm", "memt-web"];
    const targets = await Promise.all(resources.map((name) => urn("command:local:Command", name)));
    const result = await up(base, ...targets.flatMap((target) => ["--replace", target]));
    assert.equal(changes(result)["replaced"], 3, result.stdout);
    assert.match(result.stdout, /the swarm was taken over by another run/);
    assert.match(result.stdout, /network web: was taken over by another run/);
    assert.equal((await lab.outputs()).swarmId, swarmId);
    assert.deepEqual([await nodes(), await names("network"), await names("service")], before);
    await mustChangeNothing();
  });

  it("that lost its quorum is recovered as the refusal says, with fresh machines at the lost addresses", async () => {
    const { swarmId } = await lab.outputs();
    await run("docker", ["rm", "-f", "-v", "memt-control-2", "memt-control-3"]);
    const lost = { ...base, reachableSeconds: 20, recheck: "lost" };
    await lab.spec(lost);
    const refused = await lab.stack.up();
    const told = refused.stdout + refused.stderr;
    assert.notEqual(refused.code, 0);
    assert.match(told, /The swarm has lost its quorum: 1 of 3 managers answers, and 2 are needed for a leader\. Nothing was changed\./);
    assert.match(told, /control-2: cannot be reached over SSH/);
    assert.match(told, /Containers run on control-1, by service: kept \(1\)|No container of a service was seen to run/);
    const recover = /membership: { recover: "(control-1\.[0-9a-f]{12})" }/.exec(told)?.[1] ?? assert.fail(told);
    await up({ ...lost, recover }, "--refresh");
    assert.equal((await lab.outputs()).swarmId, swarmId);
    assert.deepEqual(
      (await nodes())
        .split("\n")
        .map((line) => line.split(" ").slice(1).join(" "))
        .sort(),
      hosts.map((host) => `${host} Ready`),
    );
    await running("kept");
    await mustChangeNothing();
    assert.equal(await on("control-1", `docker info -f '{{index .Swarm.Cluster.Spec.Labels "pulumi-swarm.recovered"}}'`), "1");
  });

  it("are locked by an up, whose key nobody can read", async () => {
    const watch = watchArguments();
    await up({ ...base, swarm: { ...locked, certificateExpiry: "720h" } });
    key = await on("control-1", "docker swarm unlock-key -q");
    assert.match(key, unlockKeyForm);
    assert.equal(await on("control-1", "docker info -f '{{.Swarm.Cluster.Spec.CAConfig.NodeCertExpiry}}'"), "720h0m0s");
    await mustChangeNothing();
    mustNotBeReadable(watch.stop());
  });

  it("are unlocked by the next up with another recheck, when all of them restarted at once, and services are back", async () => {
    await run("docker", ["restart", "--timeout", "5", ...hosts.map((host) => `memt-${host}`)]);
    await Promise.all(
      hosts.map((host) =>
        eventually(`${host} is locked`, 60, async () =>
          (await on(host, "docker info -f '{{.Swarm.LocalNodeState}}'")) === "locked" ? true : undefined,
        ),
      ),
    );
    const watch = watchArguments();
    const again = { ...base, swarm: { ...locked, certificateExpiry: "720h" }, recheck: "after the restart" };
    const result = await up(again);
    for (const host of hosts) assert.match(result.stdout, new RegExp(`${host}: is locked: unlocks it`));
    assert.equal((await nodes()).match(/Ready/g)?.length, 3);
    await running("kept");
    await mustChangeNothing();
    mustNotBeReadable(watch.stop());
  });

  it("get another root CA, other join tokens and another unlock key, once", async () => {
    const trusted = (): Promise<string> => on("control-2", "docker swarm ca");
    const token = (): Promise<string> => on("control-2", "docker swarm join-token -q worker");
    const before = [await trusted(), await token(), key];
    const watch = watchArguments();
    await up({ ...base, swarm: { ...locked, rotateCa: "1", rotateJoinTokens: "1", rotateUnlockKey: "1" } });
    const old = key;
    key = await on("control-1", "docker swarm unlock-key -q");
    const after = [await trusted(), await token(), key];
    before.forEach((value, index) => assert.notEqual(after[index], value));
    assert.equal((await nodes()).match(/Ready/g)?.length, 3);
    assert.equal(await on("control-1", "docker info -f '{{.Swarm.Cluster.RootRotationInProgress}}'"), "false");
    await running("kept");
    await mustChangeNothing();
    const seen = watch.stop();
    mustNotBeReadable(seen);
    key = old;
    mustNotBeReadable(seen);
    assert.deepEqual([await trusted(), await token()], after.slice(0, 2));
  });

  it("shows what is no secret: the swarm's id and its hosts", async () => {
    const { stdout } = await lab.stack.pulumi(["stack", "output", "--json"]);
    const { swarmId, hostsMade } = JSON.parse(stdout) as { swarmId: string; hostsMade: Record<string, { nodeId: string }> };
    assert.match(swarmId, /^[a-z0-9]{25}$/);
    assert.deepEqual(Object.keys(hostsMade), hosts);
    assert.match(hostsMade["control-1"]?.nodeId ?? "", /^[a-z0-9]{25}$/);
  });

  it("is dissolved by a destroy, which leaves nothing", async () => {
    await on("control-1", "docker service rm kept");
    const result = await lab.stack.destroy();
    said.push(result.stdout, result.stderr);
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.match(result.stdout, /control-1: has left the swarm/);
    assert.deepEqual(await lab.containers(), []);
  });

  /** Where a person or a program of the same machine could come across the key. */
  function mustNotBeReadable(commandLines: string): void {
    assert.match(commandLines, /swarm-up\.js/, "the watch saw the programs of the run");
    assert.ok(!commandLines.includes(key), "in the arguments of a process");
    assert.ok(said.length > 0 && !said.some((text) => text.includes(key)), "in what Pulumi printed");
    const state = join(root, ".lab", "state", ".pulumi");
    const files = readdirSync(state, { recursive: true, encoding: "utf8" }).filter((file) => /memt.*json/.test(file));
    assert.ok(files.length > 1, `state and history are looked through: ${files.join(", ")}`);
    for (const file of files) assert.ok(!readFileSync(join(state, file), "utf8").includes(key), file);
  }
});

/** Collects the command lines of all processes, those inside the hosts too, which are this machine's as well. */
function watchArguments(): { stop(): string } {
  const seen = new Set<string>();
  const look = (): void => {
    for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${id}/cmdline`, "utf8"));
      } catch {
        // It has ended in the meantime.
      }
    }
  };
  const timer = setInterval(look, 100);
  return {
    stop(): string {
      clearInterval(timer);
      return [...seen].join("\n");
    },
  };
}
