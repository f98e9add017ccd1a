import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually } from "../../tools/lab/cluster";
import { docker, machineKeys, makeHostImages, removeMachines, startMachine } from "../../tools/lab/machines";
import { only, Stranger } from "./stranger";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { paths } = require("../../tools/setup/env.js") as { paths: { readonly busybox: string } };

const name = "quick";
const network = "10.245.0.0/16";
const address = "10.245.0.11";
const page = "served by the swarm";
/** What stands in for the web server's image, which hosts of the lab cannot pull. */
const image = "nginx:1.29";
const serve = ["/bin/busybox", "sh", "-c", `/bin/busybox mkdir /w; echo ${page} >/w/index.html; exec /bin/busybox httpd -f -p 80 -h /w`];

/** The README's quick start for machines that one has, word by word, in an empty folder with nothing but the packed package. */
describe("the quick start of the README", function () {
  this.timeout(300_000);
  this.bail(true);
  const keys = machineKeys("quick start");
  const stranger = new Stranger();
  const { shop } = stranger;

  before(async () => {
    await removeMachines(`${name}-`);
    await makeHostImages();
    await docker("network", "create", "--subnet", network, `${name}-net`);
    await startMachine({ name: `${name}-a`, address, network: `${name}-net`, keys });
    mkdirSync(dirname(stranger.key), { recursive: true });
    writeFileSync(stranger.key, keys.client.privateKey, { mode: 0o600 });
    await stranger.begin();
    await eventually("the image on the host", 60, async () => {
      await docker("cp", paths.busybox, `${name}-a:/busybox.tar`);
      return docker("exec", `${name}-a`, "docker", "import", "--change", `CMD ${JSON.stringify(serve)}`, "/busybox.tar", image);
    });
  });
  after(async () => {
    await removeMachines(`${name}-`);
    stranger.end();
  });

  it("begins in an empty folder", async () => {
    await stranger.follow(only("README.md", "## Quick start", "sh"), { cwd: stranger.folder });
    assert.ok(existsSync(join(shop, "node_modules", "pulumi-swarm", "package.json")));
  });

  it("has a program that compiles there", async () => {
    writeFileSync(join(shop, "index.ts"), only("README.md", "### Machines that you have", "ts"));
    const { stdout } = await stranger.follow("npx tsc");
    assert.equal(stdout.trim(), "");
  });

  it("ends with a web server that answers", async () => {
    const commands = only("README.md", "### Machines that you have", "sh").replace(/^ADDRESS=.*$/m, `ADDRESS=${address}`);
    assert.match((await stranger.follow(commands)).stdout, new RegExp(`${page}\n$`));
  });

  it("changes nothing the second time, and leaves the machine as it was found", async () => {
    const { stdout } = await stranger.follow(only("README.md", "### And then", "sh"));
    const [second = ""] = stdout.split(/^Destroying/m);
    assert.match(second, /unchanged/);
    assert.doesNotMatch(second, /created|updated|replaced/);
    const look =
      "docker info --format '{{.Swarm.LocalNodeState}}'; ls /etc/pulumi-swarm /usr/local/lib/pulumi-swarm 2>/dev/null; nft list tables | grep pulumi; docker ps -q; true";
    assert.equal((await docker("exec", `${name}-a`, "sh", "-c", look)).trim(), "inactive");
  });
});
