import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ClusterShell, eventually } from "../../tools/lab/cluster";
import { docker, removeMachines } from "../../tools/lab/machines";
import { type CommandResult, root, run, Stack } from "../../tools/lab/pulumi";
import { good } from "./cloud-lab";
import { assertNoChange } from "./lab";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { paths } = require("../../tools/setup/env.js") as { paths: { readonly lab: string; readonly plugins: string; readonly busybox: string } };

const name = "services";
const hosts = ["control-1", "edge-1", "edge-2"] as const;
/** Of a registry that refuses at once: hosts of the lab reach none, and are not to wait for an answer. */
const image = "127.0.0.1:1/busybox:1";
const folder = join(paths.lab, "services", name);
const containers = ["ps", "-aq", "--filter", `name=^${name}-`];

interface Outputs {
  readonly urls: readonly string[];
  readonly connections: ConstructorParameters<typeof ClusterShell>[0];
}

/** What a page answers, or why it does not. */
async function ask(url: string): Promise<string> {
  try {
    return (await (await fetch(url, { signal: AbortSignal.timeout(8_000) })).text()).trim();
  } catch (error) {
    return (error as Error).message;
  }
}

/** Told in order: the program of docs/services.md, and what its reader does next. */
describe("services on a cluster, by @pulumi/docker", function () {
  this.timeout(360_000);
  this.bail(true);
  const stack = new Stack(name, folder);
  let outputs: Outputs;
  let shell: ClusterShell;

  before(async () => {
    await end();
    cpSync(join(root, "examples", "services"), folder, { recursive: true });
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    symlinkSync(root, join(folder, "node_modules", "pulumi-swarm"));
    await stack.cancel();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await stack.init();
    await stack.setConfig({ image, network: "10.219.0.0/16" });
    await setPassword("first");
  });
  after(async () => {
    shell?.close();
    await end();
  });

  /** Removes all that is left, in whatever state a test left it. */
  async function end(): Promise<void> {
    await removeMachines(`${name}-`);
    if (existsSync(folder)) {
      await stack.cancel();
      await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    }
    rmSync(folder, { recursive: true, force: true });
  }

  async function setPassword(password: string): Promise<void> {
    good(await stack.pulumi(["config", "set", "--secret", "password"], { stdin: password }));
  }

  /** Hosts of the lab pull nothing: the image is put there while `up` is at work, as a pull would. */
  async function putImage(): Promise<void> {
    await Promise.all(
      hosts.map((host) =>
        eventually(`${host} has the image`, 180, async () => {
          await docker("cp", paths.busybox, `${name}-${host}:/busybox.tar`);
          return docker("exec", `${name}-${host}`, "docker", "import", "/busybox.tar", image);
        }),
      ),
    );
  }

  const manager = (command: string): Promise<string> => shell.on("control-1", command);
  const secrets = async (): Promise<string[]> => (await manager("docker secret ls --format '{{.Name}}'")).split("\n").filter(Boolean);

  /** All workers answer so, each by the address on which the program says that they do. */
  function answer(expected: string): Promise<unknown> {
    return Promise.all(
      outputs.urls.map((url) =>
        eventually(`${url} says "${expected}"`, 90, async () => {
          const said = await ask(url);
          if (said !== expected) throw new Error(said);
          return said;
        }),
      ),
    );
  }

  it("are there after the first up, and a proxy, a program and a store find each other by name", async () => {
    const [up] = await Promise.all([stack.up(), putImage()]);
    good(up);
    outputs = await stack.outputs<Outputs>();
    shell = new ClusterShell(outputs.connections);
    assert.equal(outputs.urls.length, 2);
    await answer("3 orders, says version 1");
    assert.equal(statSync(join(folder, ".keys", name)).mode & 0o777, 0o600);
    assert.doesNotMatch(await stack.export(), /PRIVATE KEY/);
  });

  it("are on the hosts that the program names by their labels", async () => {
    const nodes = async (service: string): Promise<string[]> =>
      (await manager(`docker service ps ${service} --filter desired-state=running --format '{{.Node}}'`)).split("\n").sort();
    assert.deepEqual(await nodes("db"), ["edge-1"]);
    assert.deepEqual(await nodes("web"), ["edge-1", "edge-2"]);
    assert.equal(new Set(await nodes("api")).size, 2);
    // The label alone: with `spread=` before it the swarm knows no such label, and spreads nothing.
    const preferences = await manager("docker service inspect api -f '{{json .Spec.TaskTemplate.Placement.Preferences}}'");
    assert.deepEqual(JSON.parse(preferences), [{ Spread: { SpreadDescriptor: "node.labels.pulumi-swarm.host" } }]);
  });

  it("stay as they are by a second up, and by one that looks at what there is", async () => {
    assertNoChange(await stack.up());
    assertNoChange(await stack.up({}, "--refresh"));
  });

  it("are on no port that the program does not expose", async () => {
    const [worker = ""] = outputs.urls.map((url) => new URL(url).hostname);
    assert.match(await ask(`http://${worker}:8080/`), /404/);
    await manager("docker service update -q --detach --publish-add mode=host,published=8081,target=80 web");
    await eventually("8081 is published on a worker", 60, async () =>
      (await shell.on("edge-1", "docker ps --format '{{.Ports}}'")).includes(":8081->80/") ? true : undefined,
    );
    assert.match(await ask(`http://${worker}:8081/`), /aborted|timeout|fetch failed/i);
    // What somebody did by hand is seen by a refresh, and undone.
    good(await stack.up({}, "--refresh"));
    await answer("3 orders, says version 1");
  });

  it("go over to another version with hardly an answer lost", async () => {
    await stack.setConfig({ version: "2" });
    const [url = ""] = outputs.urls;
    const said: { readonly at: number; readonly text: string }[] = [];
    let over = false;
    const asking = (async (): Promise<void> => {
      while (!over) {
        const text = await ask(url);
        said.push({ at: Date.now(), text });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
    const up = await stack.up();
    over = true;
    await asking;
    good(up);
    await answer("3 orders, says version 2");
    const fine = said.filter(({ text }) => /^3 orders, says version [12]$/.test(text));
    const gaps = fine.map(({ at }, index) => at - (fine[index - 1]?.at ?? at));
    process.stdout.write(`      ${said.length} asked, ${said.length - fine.length} without an answer, ${Math.max(...gaps)} ms between two at most\n`);
    assert.ok(fine.length > 0 && Math.max(...gaps) < 5_000, JSON.stringify(said.filter(({ text }) => !text.startsWith("3 orders")).slice(0, 5)));
  });

  it("are rolled back where the new version does not start: up fails and says so, and the old one answers", async () => {
    await stack.setConfig({ apiImage: "127.0.0.1:1/nothing:1" });
    const up: CommandResult = await stack.up();
    assert.notEqual(up.code, 0);
    assert.match(up.stdout + up.stderr, /rollback completed/);
    await answer("3 orders, says version 2");
    assert.match(
      await manager("docker service inspect api -f '{{.UpdateStatus.State}} {{.Spec.TaskTemplate.ContainerSpec.Image}}'"),
      /rollback_completed .*busybox/,
    );
    good(await stack.pulumi(["config", "rm", "apiImage"]));
    good(await stack.up());
    assertNoChange(await stack.up());
    await answer("3 orders, says version 2");
  });

  it("get another password by one up, and the old one is gone", async () => {
    const before = await secrets();
    assert.equal(before.length, 1);
    await setPassword("second");
    good(await stack.up());
    await answer("3 orders, says version 2");
    const after = await secrets();
    assert.equal(after.length, 1);
    assert.notDeepEqual(after, before, "under a name of its own");
    assert.equal(await shell.on("edge-1", "docker exec $(docker ps -q --filter name=^db\\\\.) cat /run/secrets/db-password"), "second");
    assert.doesNotMatch(await stack.export(), /"(first|second|Zmlyc3Q=|c2Vjb25k)"/);
  });

  it("meet what a Compose file deploys, on the cluster's networks", async () => {
    const compose = [
      'version: "3.8"',
      "services:",
      "  probe:",
      `    image: ${image}`,
      "    command: [/bin/busybox, sleep, '100000']",
      "    stop_grace_period: 0s",
      "    networks: [front]",
      "    deploy: { endpoint_mode: dnsrr, placement: { constraints: [node.labels.pulumi-swarm.host==edge-2] } }",
      "networks:",
      "  front: { external: true }",
    ].join("\n");
    await shell.on("control-1", "docker stack deploy --resolve-image never -c - extra", compose);
    const request = "printf 'GET /cgi-bin/orders HTTP/1.0\\r\\n\\r\\n' | /bin/busybox nc -w 5 api 8080";
    await eventually("the stack's service reaches api by name", 60, async () => {
      const said = await shell.on("edge-2", `docker exec $(docker ps -q --filter name=^extra_probe\\\\.) sh -c "${request}"`);
      return said.includes("3 orders, says version 2") ? said : undefined;
    });
    await manager("docker stack rm extra");
    await eventually("the stack is gone", 60, async () => ((await manager("docker ps -aq --filter name=extra_probe")) === "" ? true : undefined));
  });

  it("go before the cluster does, and a destroy leaves nothing", async () => {
    await eventually("nothing of the stack is left on edge-2", 60, async () =>
      (await shell.on("edge-2", "docker ps -aq --filter name=extra_probe")) === "" ? true : undefined,
    );
    shell.close();
    good(await stack.destroy());
    assert.equal((await run("docker", containers)).stdout, "");
  });
});
