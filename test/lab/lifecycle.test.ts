import assert from "node:assert/strict";
import { type ClusterShell, eventually, proveByName, testImage } from "../../tools/lab/cluster";
import { run } from "../../tools/lab/pulumi";
import { argumentsDuring } from "../../tools/lab/secrets";
import { assertNoChange, changes, Lab } from "./lab";

const network = "10.214.0.0/16";
const managers = { role: "manager", count: 3, network };
const networks = { web: {}, db: { internal: true } };

interface Node {
  readonly ID: string;
  readonly Hostname: string;
  readonly Status: string;
  readonly ManagerStatus: string;
}

async function nodes(shell: ClusterShell, on = "control-2"): Promise<Node[]> {
  const lines = await shell.on(on, "docker node ls --format '{{json .}}'");
  return lines.split("\n").map((line) => JSON.parse(line) as Node);
}

/** The life of one cluster, told in order: each test goes on from where the one before it ended. */
describe("a cluster of local hosts", function () {
  this.timeout(300_000);
  this.bail(true);
  const lab = new Lab("life");
  let swarmId = "";

  before(async () => {
    await lab.begin();
    await lab.spec({ local: { control: managers }, networks });
  });
  after(() => lab.end());

  it("is previewed in full: what the first up makes is what the preview showed", async () => {
    const preview = await lab.stack.preview("--diff");
    assert.equal(preview.code, 0, preview.stdout + preview.stderr);
    const shown = changes(preview)["to create"];
    const made = await lab.up();
    assert.equal(changes(made)["created"], shown);
    swarmId = (await lab.outputs()).swarmId;
    assert.match(swarmId, /^[a-z0-9]{25}$/);
  });

  it("lets a container on the first host reach a service on the last one by name", async () => {
    const answer = await lab.withShell((shell) => proveByName(shell, "control-1", "control-3", "web"));
    assert.equal(answer, "hello from control-3");
  });

  it("puts the networks where the plan says, the internal one without a way out", async () => {
    const { networksMade } = await lab.outputs();
    await lab.withShell(async (shell) => {
      for (const [name, { subnet }] of Object.entries(networksMade)) {
        assert.equal(await shell.on("control-2", `docker network inspect ${name} --format '{{(index .IPAM.Config 0).Subnet}}'`), subnet);
      }
      assert.equal(await shell.on("control-2", "docker network inspect db --format '{{.Internal}}'"), "true");
    });
  });

  it("is left alone by a second up, and by an up after a refresh", async () => {
    assertNoChange(await lab.up());
    const refreshed = await lab.stack.refresh();
    assert.equal(refreshed.code, 0, refreshed.stdout + refreshed.stderr);
    assertNoChange(await lab.up());
  });

  it("shows no join token and no private key in state, logs or process lists", async () => {
    const { connections } = await lab.outputs();
    const secrets = await lab.withShell(async (shell) => [
      await shell.on("control-1", "docker swarm join-token -q worker"),
      await shell.on("control-1", "docker swarm join-token -q manager"),
    ]);
    const keys = Object.values(connections).map(({ privateKey = "" }) => privateKey.split("\n")[3] ?? "");
    await lab.spec({ local: { control: managers, edge: { role: "worker", count: 1, network } }, networks });
    const { result, seen } = await argumentsDuring(() => lab.stack.up({}, "--diff"));
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const state = await lab.stack.export();
    const journal = await lab.withShell((shell) => shell.on("edge-1", "journalctl --no-pager -o cat"));
    assert.ok(state.includes(swarmId), "the state is the one looked for");
    for (const secret of [...secrets, ...keys]) {
      assert.ok(secret.length > 20);
      for (const [where, text] of Object.entries({ state, output: result.stdout + result.stderr, arguments: seen, journal })) {
        assert.ok(!text.includes(secret), `a secret is in the ${where}`);
      }
    }
    // A group more: a host and its container, a rule for its administrators, its block of the site and the memory of it;
    // the swarm with its intent and what is read of its nodes.
    assert.deepEqual(changes(result), { created: 5, updated: 3, unchanged: changes(result)["unchanged"] });
  });

  it("makes a worker a manager and back in place", async () => {
    const before = (await lab.outputs()).hostsMade["edge-1"]?.nodeId;
    const two = { role: "worker", count: 2, network };
    await lab.spec({ local: { control: managers, edge: { ...two, role: "manager" } }, networks });
    const promoted = await lab.up();
    assert.equal(changes(promoted)["deleted"], undefined);
    assert.equal((await lab.withShell(nodes)).filter(({ ManagerStatus }) => ManagerStatus !== "").length, 5);
    await lab.spec({ local: { control: managers, edge: two }, networks });
    const demoted = await lab.up();
    assert.equal(changes(demoted)["deleted"], undefined);
    assert.equal(changes(demoted)["replaced"], undefined);
    assert.equal((await lab.withShell(nodes)).filter(({ ManagerStatus }) => ManagerStatus !== "").length, 3);
    assert.equal((await lab.outputs()).hostsMade["edge-1"]?.nodeId, before);
  });

  it("moves the tasks of a host that is taken out, strikes it off, and leaves the others as they were", async () => {
    await lab.withShell(async (shell) => {
      await shell.putTestImage();
      await shell.on(
        "control-1",
        `docker service create --detach --quiet --no-resolve-image --name stays --endpoint-mode dnsrr --network web --replicas 2 ` +
          `--constraint node.role==worker ${testImage} /bin/busybox sleep 100000`,
      );
      await eventually("both tasks run", 60, async () =>
        (await shell.on("control-1", "docker service ls --format '{{.Replicas}}' --filter name=stays")) === "2/2" ? true : undefined,
      );
    });
    const before = await lab.withShell(nodes);
    await lab.spec({ local: { control: managers, edge: { role: "worker", numbers: [2], network } }, networks });
    const result = await lab.up();
    assert.match(result.stdout + result.stderr, /edge-1: .*drain/);
    assert.equal(changes(result)["deleted"], 2);
    const after = await lab.withShell(nodes);
    assert.deepEqual(
      after.map(({ ID }) => ID).sort(),
      before
        .filter(({ Hostname }) => Hostname !== "edge-1")
        .map(({ ID }) => ID)
        .sort(),
    );
    assert.ok(after.every(({ Status }) => Status === "Ready"));
    await lab.withShell((shell) =>
      eventually("both tasks run on the host that stayed", 60, async () => {
        const where = await shell.on("control-1", "docker service ps stays --filter desired-state=running --format '{{.Node}} {{.CurrentState}}'");
        return /^(edge-2 Running.*\n?){2}$/.test(where) ? true : undefined;
      }),
    );
  });

  it("takes a replaced first manager back into the old swarm", async () => {
    await run("docker", ["rm", "-f", "-v", "life-control-1"]);
    const result = await lab.up("--refresh");
    assert.equal(changes(result)["created"], 1, result.stdout);
    const outputs = await lab.outputs();
    assert.equal(outputs.swarmId, swarmId);
    // A new leader calls every node unknown until it has heard of it.
    const members = await lab.withShell((shell) =>
      eventually("all four are ready", 60, async () => {
        const now = await nodes(shell);
        return now.length === 4 && now.every(({ Status }) => Status === "Ready") ? now : undefined;
      }),
    );
    assert.ok(members.some(({ ID }) => ID === outputs.hostsMade["control-1"]?.nodeId));
    assert.equal(await lab.withShell((shell) => shell.on("control-1", "docker service ls --format '{{.Name}}'")), "stays");
  });

  it("refuses to change a network in use, says who uses it, and leaves it working", async () => {
    const { networksMade } = await lab.outputs();
    await lab.spec({
      local: { control: managers, edge: { role: "worker", numbers: [2], network } },
      networks: { ...networks, web: { subnet: "10.99.250.0/24" } },
    });
    const result = await lab.stack.up();
    assert.notEqual(result.code, 0);
    assert.match(
      result.stdout + result.stderr,
      /network web cannot be changed \(.*subnet.*\) while it is used by service stays; it is left as it was/,
    );
    const now = await lab.withShell((shell) => shell.on("control-2", "docker network inspect web --format '{{(index .IPAM.Config 0).Subnet}}'"));
    assert.equal(now, networksMade["web"]?.subnet);
    await lab.withShell((shell) => shell.on("control-2", "docker service rm stays"));
    await lab.up();
    assert.equal((await lab.outputs()).networksMade["web"]?.subnet, "10.99.250.0/24");
  });

  it("is gone without a trace after a destroy", async () => {
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.deepEqual(await lab.containers(), []);
    const left = await run("docker", ["network", "ls", "--format", "{{.Name}}", "--filter", "name=life-"]);
    assert.equal(left.stdout.trim(), "");
  });
});
