// @ts-check
// A container registry of the lab, from which hosts pull what the product runs on them, as they would from the projects' own.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const apt = require("./apt");
const { processName } = require("./docker");
const { labEnv, paths } = require("./env");
const { recipeLabel } = require("./host-image");
const { ask, find, isRoot, lastLines, run } = require("./programs");
const { Progress, SetupError } = require("./report");

const port = 5000;
/** As the outer machine's own Docker calls it: it takes a registry without encryption at 127.0.0.0/8 only. */
const registryAddress = `127.0.0.1:${port}`;
const program = "docker-registry";
const startLimit = 10_000;
const table = "pulumi-swarm-lab-registry";

/**
 * Starts the registry, unless one answers there already: that of another checkout does as well.
 * @returns {Promise<boolean>} whether there is one
 */
async function registry() {
  const progress = new Progress("registry");
  let answer = await answers();
  if (answer === "nothing") {
    if (!(await installed(progress))) {
      progress.warn(`${program} is not here and cannot be installed; the tests of weave and flannel, which pull from it, say so`);
      return false;
    }
    progress.working("starting");
    start();
    answer = await inTime();
  }
  if (answer !== "a registry")
    throw new SetupError(`what listens on port ${port} is not a container registry`, "end it, or the lab has no place for its images");
  await closeToOthers(progress);
  progress.done(registryAddress);
  return true;
}

/** @returns {Promise<"nothing" | "a registry" | "something else">} */
async function answers() {
  try {
    const response = await fetch(`http://${registryAddress}/v2/`, { signal: AbortSignal.timeout(2_000) });
    return response.ok && response.headers.get("docker-distribution-api-version") !== null ? "a registry" : "something else";
  } catch (error) {
    const code = /** @type {{ cause?: { code?: string } }} */ (error).cause?.code;
    return code === "ECONNREFUSED" ? "nothing" : "something else";
  }
}

/** @param {Progress} progress */
async function installed(progress) {
  if (find(program) === undefined && apt.canInstall()) {
    progress.working("installing docker-registry from the distribution");
    await apt.install(["docker-registry"]);
    // The package brings a service of its own, which would want the same port.
    if (fs.existsSync("/run/systemd/system")) await ask("systemctl", ["disable", "--now", "docker-registry"]);
  }
  return find(program) !== undefined;
}

/** In the background, and outlives this program. */
function start() {
  fs.mkdirSync(paths.registry, { recursive: true });
  const settings = path.join(paths.registry, "config.json");
  // JSON is YAML. All addresses: a host's way to it is the gateway of its own Docker network, and those come and go.
  const text = JSON.stringify({
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: path.join(paths.registry, "data") }, delete: { enabled: true } },
    http: { addr: `:${port}`, secret: "of no use to anyone: there is one process" },
  });
  fs.writeFileSync(settings, text);
  const log = fs.openSync(paths.registryLog, "a");
  const daemon = spawn(find(program) ?? program, ["serve", settings], { detached: true, stdio: ["ignore", log, log], env: labEnv(), cwd: "/" });
  fs.closeSync(log);
  fs.writeFileSync(paths.registryPid, String(daemon.pid));
  daemon.unref();
}

/** @returns {Promise<"a registry" | "something else">} */
async function inTime() {
  const limit = Date.now() + startLimit;
  for (;;) {
    const answer = await answers();
    if (answer !== "nothing") return answer;
    if (Date.now() > limit) {
      throw new SetupError(
        `the registry does not answer ${startLimit / 1000} s after its start`,
        `it said last:\n${lastLines(paths.registryLog, 8)}`,
      );
    }
    await pause(50);
  }
}

/**
 * Whoever reaches the registry may put images into it, and hosts of the lab run them. So only this machine and the bridges
 * of its Docker are let in.
 * @param {Progress} progress
 */
async function closeToOthers(progress) {
  if (process.platform !== "linux") return;
  const nft = find("nft");
  if (!isRoot || nft === undefined) {
    return progress.warn(
      `port ${port} is open to the machine's neighbours (closing it needs root and nftables): anyone may put images into the lab's registry`,
    );
  }
  if ((await ask(nft, ["list", "table", "inet", table])).ok) return;
  const chain = `type filter hook input priority filter; ${["lo", "docker0", "br-*"].map((name) => `iifname "${name}" accept;`).join(" ")} tcp dport ${port} drop;`;
  const { ok, stderr } = await ask(nft, [`table inet ${table} { chain input { ${chain} }; }`]);
  if (!ok) progress.warn(`port ${port} cannot be closed to the machine's neighbours: ${stderr}`);
}

/**
 * Puts an image of nothing but some files into the registry.
 * @param {string} image such as `flannel-io/flannel:v0.26.7`
 * @param {Readonly<Record<string, string>>} files path in the image to file of this machine
 * @param {string} [recipe] what it was made by, for {@link recipeOf}
 * @returns {Promise<string>} its digest
 */
async function publish(image, files, recipe = "") {
  const name = `${registryAddress}/${image}`;
  const log = `publish-${image.replace(/[^\w.-]/g, "-")}`;
  const folder = fs.mkdtempSync(path.join(tmpdir(), "pulumi-swarm-image-"));
  try {
    for (const [inside, file] of Object.entries(files)) {
      const target = path.join(folder, "root", inside);
      fs.mkdirSync(path.dirname(target), { recursive: true });
      fs.copyFileSync(file, target);
      fs.chmodSync(target, 0o755);
    }
    const tar = path.join(folder, "image.tar");
    await run(log, "tar", ["--owner=0", "--group=0", "-cf", tar, "-C", path.join(folder, "root"), "."]);
    await run(log, "docker", ["import", "--change", `LABEL ${recipeLabel}=${recipe}`, tar, name]);
    await run(log, "docker", ["push", "-q", name], { fix: `needs a Docker engine of this machine, which reaches ${registryAddress}` });
    const { stdout } = await ask("docker", ["image", "inspect", "--format", "{{index .RepoDigests 0}}", name]);
    return stdout.split("@")[1] ?? "";
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
    await ask("docker", ["image", "rm", name]);
  }
}

/**
 * What an image in the registry was made by: asked of the registry itself, whose contents may be another checkout's or gone.
 * @param {string} name
 * @param {string} tag
 * @returns {Promise<string | undefined>} nothing if it is not there
 */
async function recipeOf(name, tag) {
  const manifest = await fetchJson(`${name}/manifests/${tag}`);
  const settings = await fetchJson(`${name}/blobs/${manifest?.config?.digest}`);
  return settings?.config?.Labels?.[recipeLabel];
}

/** @param {string} where */
async function fetchJson(where) {
  const accept = "application/vnd.docker.distribution.manifest.v2+json";
  const response = await fetch(`http://${registryAddress}/v2/${where}`, { headers: { accept }, signal: AbortSignal.timeout(5_000) });
  return response.ok ? /** @type {any} */ (await response.json()) : undefined;
}

/** The registry, if setup of this checkout started it. @returns {{ what: string, remove: () => unknown }[]} */
function ourRegistry() {
  if (!fs.existsSync(paths.registryPid)) return [];
  const pid = fs.readFileSync(paths.registryPid, "utf8").trim();
  if (processName(pid) !== program) return [];
  const remove = async () => {
    process.kill(Number(pid), "SIGTERM");
    await ask("nft", ["delete", "table", "inet", table]);
  };
  return [{ what: `the registry that setup started (process ${pid})`, remove }];
}

module.exports = { ourRegistry, publish, recipeOf, registry, registryAddress };
