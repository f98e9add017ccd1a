import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../tools/lab/cluster";
import { docker, machineKeys, makeHostImages, removeMachines, startMachine } from "../../tools/lab/machines";
import { type CommandResult, root, run } from "../../tools/lab/pulumi";
import { ours, pack } from "../package/packed";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { labEnv, paths } = require("../../tools/setup/env.js") as { labEnv: () => NodeJS.ProcessEnv; paths: { readonly busybox: string } };

const name = "quick";
const network = "10.245.0.0/16";
const address = "10.245.0.11";
const page = "served by the swarm";
/** What stands in for the web server's image, which hosts of the lab cannot pull. */
const image = "nginx:1.29";
const serve = ["/bin/busybox", "sh", "-c", `/bin/busybox mkdir /w; echo ${page} >/w/index.html; exec /bin/busybox httpd -f -p 80 -h /w`];

/** A section of the README: its blocks in their order. */
function blocks(heading: string): readonly { readonly language: string; readonly text: string }[] {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, behind = assert.fail(`the README has no ${heading}`)] = readme.split(`\n${heading}\n`);
  const [section = ""] = behind.split(/^#{2,3} /m);
  return [...section.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = "", text = ""]) => ({ language, text }));
}

function only(heading: string, language: string): string {
  const [block, ...others] = blocks(heading).filter((each) => each.language === language);
  assert.ok(block !== undefined && others.length === 0, `${heading} has not one block of ${language}`);
  return block.text;
}

/** The README's quick start for machines that one has, word by word, in an empty folder with nothing but the packed package. */
describe("the quick start of the README", function () {
  this.timeout(300_000);
  this.bail(true);
  const keys = machineKeys("quick start");
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-quick-"));
  const shop = join(folder, "shop");
  let words = "";

  before(async () => {
    await removeMachines(`${name}-`);
    await makeHostImages();
    await docker("network", "create", "--subnet", network, `${name}-net`);
    await startMachine({ name: `${name}-a`, address, network: `${name}-net`, keys });
    mkdirSync(join(folder, "home", ".ssh"), { recursive: true });
    writeFileSync(join(folder, "home", ".ssh", "id_ed25519"), keys.client.privateKey, { mode: 0o600 });
    words = meaning((await pack(folder)).tarball);
    await eventually("the image on the host", 60, async () => {
      await docker("cp", paths.busybox, `${name}-a:/busybox.tar`);
      return docker("exec", `${name}-a`, "docker", "import", "--change", `CMD ${JSON.stringify(serve)}`, "/busybox.tar", image);
    });
  });
  after(async () => {
    await removeMachines(`${name}-`);
    rmSync(folder, { recursive: true, force: true });
  });

  /**
   * What a person does otherwise than this test: they answer Pulumi's questions, npm gives them the newest versions and the package itself,
   * and their ssh knows their machines. Here: the versions of this project, and the tarball.
   */
  function meaning(tarball: string): string {
    const pinned = ["@pulumi/pulumi", "@pulumi/docker"].map((each) => `${each}) word=${each}@${ours(each)};;`).join(" ");
    const key = join(folder, "home", ".ssh", "id_ed25519");
    return [
      "set -eu",
      `pulumi() { case "$1 \${2-}" in login*) ;; up*|destroy*) command pulumi "$@" --yes --skip-preview --color never;; "stack rm") command pulumi "$@" --yes;; *) command pulumi "$@";; esac; }`,
      `npm() { words=; for word in "$@"; do case $word in pulumi-swarm) word="${tarball} @pulumi/command@${ours("@pulumi/command")}";; ${pinned} esac; words="$words $word"; done; command npm $words --no-audit --no-fund --prefer-offline; }`,
      `ssh() { command ssh -i ${key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$@"; }`,
    ].join("\n");
  }

  async function follow(script: string, cwd = shop): Promise<CommandResult> {
    const env = {
      ...labEnv(),
      HOME: join(folder, "home"),
      npm_config_cache: process.env["npm_config_cache"] ?? join(homedir(), ".npm"),
      PULUMI_BACKEND_URL: `file://${folder}`,
    };
    const done = await run("sh", ["-c", `${words}\n${script}`], { cwd, env });
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return done;
  }

  it("begins in an empty folder", async () => {
    await follow(only("## Quick start", "sh"), folder);
    assert.ok(existsSync(join(shop, "node_modules", "pulumi-swarm", "package.json")));
  });

  it("has a program that compiles there", async () => {
    writeFileSync(join(shop, "index.ts"), only("### Machines that you have", "ts"));
    const { stdout } = await follow("npx tsc");
    assert.equal(stdout.trim(), "");
  });

  it("ends with a web server that answers", async () => {
    const commands = only("### Machines that you have", "sh").replace(/^ADDRESS=.*$/m, `ADDRESS=${address}`);
    assert.match((await follow(commands)).stdout, new RegExp(`${page}\n$`));
  });

  it("changes nothing the second time, and leaves the machine as it was found", async () => {
    const { stdout } = await follow(only("### And then", "sh"));
    const [second = ""] = stdout.split(/^Destroying/m);
    assert.match(second, /unchanged/);
    assert.doesNotMatch(second, /created|updated|replaced/);
    const look =
      "docker info --format '{{.Swarm.LocalNodeState}}'; ls /etc/pulumi-swarm /usr/local/lib/pulumi-swarm 2>/dev/null; nft list tables | grep pulumi; docker ps -q; true";
    assert.equal((await docker("exec", `${name}-a`, "sh", "-c", look)).trim(), "inactive");
  });
});
