import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

  function all(): Promise<string[]> {
    const named = "grep -v ' \\(bridge\\|host\\|none\\|docker_gwbridge\\)$' | sort";
    return Promise.all(
      ["service", "network", "secret", "config"].map((kind) => on("control-1", `docker ${kind} ls --format '{{.ID}} {{.Name}}' | ${named}`)),
    );
  }

  function running(replicas: number): Promise<unknown> {
    return eventually(`${replicas} containers run`, 180, async () => {
      const states = await on("control-1", "docker service ps kept --filter desired-state=running --format '{{.CurrentState}}'");
      return states.split("\n").filter((state) => state.startsWith("Running")).length === replicas ? true : undefined;
    });
  }

  async function pulumiSwarm(...args: readonly string[]): Promise<CommandResult> {
    const { connections } = await lab.outputs();
    const result = await run("node", [join(root, "dist", "components", "cli", "main.js"), ...args, "--connections", "-"], {
      stdin: JSON.stringify(connections),
    });
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
    await eventually(`the engine of ${stopped} runs again`, 150, async () => ((await isActive(stopped)) === "active" ? true : undefined));
    await eventually("all are ready", 120, async () => {
      const states = await on("control-1", "docker node ls --format '{{.Status}}' | sort -u").catch(() => "");
      return states === "Ready" ? true : undefined;
    });
    assert.equal(await on(stopped, "ls /run/pulumi-swarm-backup 2>/dev/null || true"), "");
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
    const from = /from (control-\d):/.exec(stderr)?.[1] ?? assert.fail(stderr);
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
});
