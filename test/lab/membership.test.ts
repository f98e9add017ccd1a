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
    const targets = [await urn("command:local:Command", "memt-swarm"), await urn("command:local:Command", "memt-web")];
    const result = await up(base, ...targets.flatMap((target) => ["--replace", target]));
    assert.equal(changes(result)["replaced"], 2, result.stdout);
    assert.match(result.stdout, /the swarm was taken over by another run/);
    assert.match(result.stdout, /network web: was taken over by another run/);
    assert.equal((await lab.outputs()).swarmId, swarmId);
    assert.deepEqual([await nodes(), await names("network"), await names("service")], before);
    assertNoChange(await lab.up());
  });
});
