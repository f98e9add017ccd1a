import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../tools/lab/cluster";
import { docker, machineKeys, makeHostImages, removeMachines, startMachine } from "../../tools/lab/machines";
import { needTools, type NetworkFile, networkOf } from "../../tools/lab/namespace";
import { type CommandResult, root, run } from "../../tools/lab/pulumi";
import { only, Stranger } from "./stranger";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { paths } = require("../../tools/setup/env.js") as { paths: Record<"busybox" | "debian", string> };

const name = "local-quick";
const network = "10.248.0.0/16";
/** The computer of somebody who has only Docker: hosts of the cluster are containers in it, and the lab's own images are not there. */
const computer = `${name}-computer`;
const base = "debian:trixie-slim";
const hostImage = "pulumi-swarm-host:trixie";
const testImage = "busybox:lab";

/** The page's program for local hosts, in an empty folder with nothing but the packed package, and their image from what the package ships. */
describe("the quick start on local hosts", function () {
  this.timeout(600_000);
  this.bail(true);
  const stranger = new Stranger();
  let inside: NetworkFile = "";
  let env: NodeJS.ProcessEnv = {};

  before(async function () {
    needTools(this, "nsenter");
    await removeMachines(`${name}-`);
    await makeHostImages();
    await docker("network", "create", "--subnet", network, `${name}-net`);
    await startMachine({ name: computer, address: "10.248.0.11", network: `${name}-net`, keys: machineKeys("local quick start") });
    await eventually("Docker on the computer", 90, () => inner("docker info"));
    inside = await networkOf(computer);
    // Pulumi runs in the computer's network and asks its Docker, with all else of the outer machine.
    env = { DOCKER_HOST: `unix://${inside.replace("/ns/net", "/root/run/docker.sock")}` };
    const lack = await lackOfImages();
    if (lack !== undefined) {
      // Where nobody looks, a lack must not pass for success.
      if (process.env["CI"]) throw new Error(lack);
      process.stderr.write(`    ${lack}: left out\n`);
      this.skip();
    }
    await stranger.begin();
  });
  after(async () => {
    await removeMachines(`${name}-`);
    stranger.end();
  });

  const inner = (script: string): Promise<string> => docker("exec", computer, "sh", "-c", script);
  const follow = async (script: string): Promise<string> => {
    const { stdout, stderr } = await stranger.follow(script, { network: inside, env });
    return stdout + stderr;
  };

  /** Gives the computer the image that a pull would. @returns why the image of hosts cannot be built here, if it cannot. */
  async function lackOfImages(): Promise<string | undefined> {
    const ask = (script: string): Promise<CommandResult> => run("docker", ["exec", computer, "sh", "-c", script]);
    const pulled = await ask(`timeout 30 docker pull -q ${base}`);
    if (pulled.code !== 0) {
      const made = await run("node", [join(root, "tools", "setup", "index.js"), "debian"]);
      if (made.code !== 0) return `${base} can be neither pulled nor made:\n${pulled.stderr}${made.stdout}${made.stderr}`;
      await docker("cp", paths.debian, `${computer}:/base.tar`);
      await inner(`docker import /base.tar ${base} && rm /base.tar`);
    }
    const mirror = await ask(`timeout 60 docker run --rm ${base} apt-get -q update --error-on=any`);
    return mirror.code === 0 ? undefined : `containers reach no mirror of Debian:\n${mirror.stdout}${mirror.stderr}`;
  }

  it("begins in an empty folder, where the page's program compiles", async () => {
    await stranger.follow(only("README.md", "## Quick start", "sh"), { cwd: stranger.folder });
    const program = only("docs/hosts.md", "## Local hosts", "ts");
    // As many as the lab has memory for; and its machines may not drop a capability that they lack themselves.
    const all = 'transform: { container: { capabilities: { adds: ["ALL"] } } }';
    const fewer = program.replace("count: 3", `count: 1, ${all}`).replace("count: 2", `count: 1, ${all}`);
    assert.notEqual(fewer, program);
    writeFileSync(join(stranger.shop, "index.ts"), fewer);
    assert.equal((await stranger.follow("npx tsc")).stdout.trim(), "");
  });

  it("says in the preview that the image is missing, and makes nothing", async () => {
    assert.match(await follow("pulumi preview --color never"), /The image of local hosts is missing: up makes it first, by docker build/);
    assert.equal(await inner(`docker ps -aq; docker image ls -q ${hostImage}`), "");
  });

  it("builds the image from what the package ships, and hosts of it", async () => {
    await follow("pulumi up");
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
    const recipe = await inner(`docker image inspect -f '{{index .Config.Labels "pulumi-swarm.recipe"}}' ${hostImage}`);
    assert.equal(recipe, `pulumi-swarm ${version}`);
    assert.match(await inner("docker exec demo-control-1 docker node ls"), /edge-1\s+Ready/);
  });

  it("changes nothing by a second up", async () => {
    const said = await follow("pulumi up");
    assert.match(said, /unchanged/);
    assert.doesNotMatch(said, /created|updated|replaced/);
  });

  it("has services that answer each other by name", async () => {
    await docker("cp", paths.busybox, `${computer}:/busybox.tar`);
    for (const host of ["demo-control-1", "demo-edge-1"])
      await inner(`docker cp /busybox.tar ${host}:/busybox.tar && docker exec ${host} docker import /busybox.tar ${testImage}`);
    const serve = "/bin/busybox mkdir /w; echo served >/w/index.html; exec /bin/busybox httpd -f -p 80 -h /w";
    const where = "--network web --endpoint-mode dnsrr --constraint node.role==worker";
    await inner(
      `docker exec demo-control-1 docker service create -q -d --no-resolve-image --name hello ${where} ${testImage} /bin/busybox sh -c '${serve}'`,
    );
    const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | /bin/busybox nc -w 3 hello 80`;
    await eventually("hello answers on the other host", 90, async () => {
      const said = await inner(`docker exec demo-control-1 docker run --rm --network web ${testImage} /bin/busybox sh -c "${ask}"`);
      return said.includes("served") ? said : undefined;
    });
    await inner("docker exec demo-control-1 docker service rm hello");
  });

  it("leaves nothing but the image after a destroy", async () => {
    await follow("pulumi destroy");
    assert.equal(await inner("docker ps -aq; docker volume ls -q; docker network ls -q --filter type=custom"), "");
    await follow("pulumi stack rm prod");
  });
});
