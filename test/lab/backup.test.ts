import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../tools/lab/cluster";
import { type CommandResult, root, run } from "../../tools/lab/pulumi";
import { assertNoChange, Lab } from "./lab";

const keys = ["control-1", "control-2", "control-3", "edge-1"] as const;
const managers = keys.slice(0, 3);
const secret = "quite-a-secret-8f2b";
const passphrase = "twelve words would be better than these";

/** All hosts are lost, and what they were is in one file. Told in order. */
describe("a swarm whose hosts are all lost", function () {
  this.timeout(900_000);
  this.bail(true);
  const lab = new Lab("backup");
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-backup-"));
  const file = join(folder, "swarm.age");
  const network = "10.227.16.0/20";
  const spec = {
    local: { control: { role: "manager", count: 3, network }, edge: { role: "worker", count: 1, network } },
    networks: { web: {} },
    reachableSeconds: 300,
  };
  const said: string[] = [];
  let swarmId = "";
  let nodes: Readonly<Record<string, string>> = {};
  /** The manager that the backup is from. */
  let from = "";
  let objects: readonly string[] = [];

  before(async () => {
    writeFileSync(join(folder, "passphrase"), `${passphrase}\n`, { mode: 0o600 });
    await lab.begin();
    await lab.spec(spec);
    await lab.up();
    await lab.withShell(async (shell) => {
      await shell.putTestImage();
      await shell.on("control-1", `printf ${secret} | docker secret create kept - && printf ${secret} | docker config create kept -`);
      await shell.on(
        "control-1",
        "docker service create --detach --quiet --no-resolve-image --network web --endpoint-mode dnsrr --secret kept --replicas 2 --name kept " +
          "pulumi-swarm-busybox:1 /bin/busybox sh -c 'trap exit TERM; while :; do /bin/busybox sleep 1; done'",
      );
    });
    ({ swarmId } = await lab.outputs());
    nodes = await nodeIds();
    await running(2);
    objects = await all();
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await lab.end();
  });

  async function on(host: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await run("docker", ["exec", `backup-${host}`, "sh", "-c", command]);
    assert.equal(code, 0, `${host}: ${command}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  function all(host = "control-1"): Promise<string[]> {
    const named = "grep -v ' \\(bridge\\|host\\|none\\|docker_gwbridge\\)$' | sort";
    return Promise.all(
      ["service", "network", "secret", "config"].map((kind) => on(host, `docker ${kind} ls --format '{{.ID}} {{.Name}}' | ${named}`)),
    );
  }

  async function nodeIds(): Promise<Readonly<Record<string, string>>> {
    const { hostsMade } = await lab.outputs();
    return Object.fromEntries(Object.entries(hostsMade).map(([key, { nodeId }]) => [key, nodeId]));
  }

  function running(replicas: number): Promise<unknown> {
    return eventually(`${replicas} containers run`, 180, async () => {
      const states = await on("control-1", "docker service ps kept --filter desired-state=running --format '{{.CurrentState}}'");
      return states.split("\n").filter((state) => state.startsWith("Running")).length === replicas ? true : undefined;
    });
  }

  async function pulumiSwarm(...args: readonly string[]): Promise<CommandResult> {
    const program = join(root, "dist", "components", "cli", "main.js");
    const result = await run("node", [program, ...args, "--stack", lab.name], { cwd: lab.stack.folder, env: lab.stack.env });
    said.push(result.stdout, result.stderr);
    return result;
  }

  const isActive = (host: string): Promise<string> => on(host, "systemctl is-active docker || true");
  const opening = ["--passphrase-file", join(folder, "passphrase")];

  it("gets its engine back by itself where a backup is killed while it is stopped", async () => {
    const backup = pulumiSwarm("backup", "--out", join(folder, "killed.age"), ...opening);
    const stopped = await eventually(
      "an engine is stopped",
      120,
      async () => {
        for (const host of managers) if (["inactive", "deactivating"].includes(await isActive(host))) return host;
        return undefined;
      },
      50,
    );
    // The script of the run, and the shell that runs it; nobody is left on the host who could start the engine but its own clock.
    await on(stopped, "pkill -KILL -f '[s]h -s'; systemctl is-active pulumi-swarm-backup.timer");
    const { code, stderr } = await backup;
    assert.equal(code, 1, stderr);
    assert.ok(!existsSync(join(folder, "killed.age")), "an empty file would be in the way of the next run");
    // Its clock needs not be waited for: it is set, and this is what it does.
    assert.match(await on(stopped, "systemctl show --property TimersMonotonic pulumi-swarm-backup.timer"), /OnActiveUSec=1min 30s/);
    await on(stopped, "systemctl start pulumi-swarm-backup.service");
    await eventually(`the engine of ${stopped} runs again`, 60, async () => ((await isActive(stopped)) === "active" ? true : undefined));
    await eventually("all are ready", 120, async () => {
      const states = await on("control-1", "docker node ls --format '{{.Status}}' | sort -u").catch(() => "");
      return states === "Ready" ? true : undefined;
    });
    // The clock clears up, too, where the engine was already being started when the script was killed.
    await eventually("nothing of the state is left in the host's memory", 150, async () =>
      (await on(stopped, "ls -d /run/pulumi-swarm-backup 2>/dev/null || true")) === "" ? true : undefined,
    );
  });

  it("was backed up under load, from a manager that is not the leader, with nothing plain in the file", async () => {
    const [leader] = (await on("control-1", "docker node ls --format '{{.Hostname}} {{.ManagerStatus}}' | grep Leader")).split(" ");
    let answers = true;
    const load = (async (): Promise<number> => {
      let changes = 0;
      while (answers) {
        await run("docker", ["exec", "backup-control-1", "sh", "-c", "docker service update --detach --quiet --label-add n=$(date +%s%N) kept"]);
        changes++;
      }
      return changes;
    })();
    const { code, stderr } = await pulumiSwarm("backup", "--out", file, ...opening);
    answers = false;
    assert.equal(code, 0, stderr);
    assert.ok((await load) > 0);
    from = /from (control-\d):/.exec(stderr)?.[1] ?? assert.fail(stderr);
    assert.notEqual(from, leader);
    const key = readFileSync(file);
    const plain = await on(from, "cat /var/lib/docker/swarm/certificates/swarm-node.key | sed -n 2,4p");
    for (const text of [secret, swarmId, "docker-state", "PRIVATE KEY", passphrase, ...plain.split("\n").filter((line) => line.length > 20)]) {
      assert.ok(!key.includes(text), `${text} is in the file`);
      assert.ok(!said.join("").includes(text) || text === swarmId, `${text} was printed`);
    }
    assert.ok(key.subarray(0, 22).toString() === "age-encryption.org/v1\n");
    assert.equal(await isActive(from), "active");
    assertNoChange(await lab.up());
  });

  it("is not restored into a swarm that lives", async () => {
    const { code, stderr } = await pulumiSwarm("restore", file, ...opening);
    assert.equal(code, 1);
    assert.match(stderr, /nothing was done: control-1, control-2, control-3, edge-1 are in a swarm, and/);
  });

  it("is not there on new machines: up refuses to form another one, and restore to put it under another address", async () => {
    await run("docker", ["rm", "-f", "-v", ...keys.map((key) => `backup-${key}`)]);
    await lab.spec({ ...spec, recheck: "lost" });
    const refused = await lab.stack.up({}, "--refresh");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout + refused.stderr, /None of the hosts that can be seen is a manager of this cluster's swarm/);
    const other = managers.find((key) => key !== from) ?? assert.fail();
    const { code, stderr } = await pulumiSwarm("restore", file, ...opening, "--to", other);
    assert.equal(code, 1);
    assert.match(stderr, /nothing was done: control-\d: it does not have the address 10\.227\./);
    for (const host of keys) assert.equal(await on(host, "docker info -f '{{.Swarm.LocalNodeState}}'"), "inactive");
  });

  it("is back from the file on new machines, and an up joins the others", async () => {
    const { code, stderr } = await pulumiSwarm("restore", file, ...opening);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await all(from), objects);
    const { stdout } = await lab.up();
    for (const key of keys.filter((each) => each !== from)) assert.match(stdout, new RegExp(`${key}: joins as `));
    assert.doesNotMatch(stdout, /docker_gwbridge is /);
    assert.equal((await lab.outputs()).swarmId, swarmId);
    assert.deepEqual(new Set(await Promise.all(managers.map((key) => on(key, "docker info -f '{{.Swarm.Cluster.ID}}'")))), new Set([swarmId]));
    assert.equal((await nodeIds())[from], nodes[from], "the manager is the node that it was");
    assert.deepEqual(await all(), objects);
    // A leader elected since calls nodes unknown until each has spoken to it. Its engine's own words on that are worth more than ours.
    await eventually("all hosts are ready, and nobody else is a node", 60, async () => {
      const states = await on("control-1", "docker node ls --format '{{.Status}}' | sort | uniq -c | tr -s ' '");
      if (states === `${keys.length} Ready`) return true;
      throw new Error(
        `${states}; ${await on("control-1", "journalctl -u docker --since -60s | grep -E 'elected|leader|heartbeat' | tail -5 || true")}`,
      );
    });
    assertNoChange(await lab.up());
  });

  it("runs its services, which read their secrets, and of which nothing was printed", async () => {
    await lab.withShell((shell) => shell.putTestImage());
    await running(2);
    await eventually("a service reads its secret", 60, async () => {
      for (const host of keys) {
        const [container] = (await on(host, "docker ps -q --filter label=com.docker.swarm.service.name=kept")).split("\n");
        if (container) return (await on(host, `docker exec ${container} /bin/busybox cat /run/secrets/kept`)) === secret ? true : undefined;
      }
      return undefined;
    });
    for (const text of [secret, passphrase]) assert.ok(!said.join("").includes(text), "a secret was printed");
  });
});
