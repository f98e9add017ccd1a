// @ts-check
// Takes away what setup made.
//
//   node tools/setup/clean.js [--list] [--all] [--force]
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { inotifyInstances, processName } = require("./docker");
const { paths } = require("./env");
const { recipeLabel } = require("./host-image");
const { readJournal } = require("./journal");
const { ask } = require("./programs");
const { ourRegistry } = require("./registry");

const usage = `node tools/setup/clean.js [--list] [--all] [--force]
  --list   only tell what would be removed
  --all    node_modules too
  --force  also the containers that still play hosts`;

/**
 * @typedef {object} Removal
 * @property {string} what
 * @property {() => unknown} remove
 */

/** @param {{ all: boolean }} options @returns {Promise<Removal[]>} in the order in which they are to go */
async function removals({ all }) {
  const journal = readJournal();
  return [
    ...(await images()),
    ...ourRegistry(),
    ...(await ourDaemon()),
    ...(journal.routes ?? []).map((route) => ({ what: `route ${route}`, remove: () => ask("ip", ["route", "del", ...route.split(" ")]) })),
    ...(journal.inotify ?? [])
      .slice(0, 1)
      .map((value) => ({ what: `fs.inotify.max_user_instances back to ${value}`, remove: () => fs.writeFileSync(inotifyInstances, value) })),
    ...folder("dist"),
    ...(all ? folder("node_modules") : []),
    ...folder(".lab"),
  ];
}

/** @param {string} name @returns {Removal[]} */
function folder(name) {
  const absolute = path.join(paths.root, name);
  return fs.existsSync(absolute) ? [{ what: `${name}/`, remove: () => fs.rmSync(absolute, { recursive: true, force: true }) }] : [];
}

/** By their label: an image that a newer one has replaced has lost its name. @returns {Promise<Removal[]>} */
async function images() {
  const { stdout } = await ask("docker", ["image", "ls", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}", "--filter", `label=${recipeLabel}`]);
  return lines(stdout).map((line) => {
    const [id = "", name = ""] = line.split(" ");
    return { what: `image ${name} (${id})`, remove: () => ask("docker", ["image", "rm", "--force", id], { timeout: 60_000 }) };
  });
}

/** @param {string} text */
const lines = (text) => text.split("\n").filter((line) => line !== "");

/** The engine, if setup started it and nobody else's containers are in it. @returns {Promise<Removal[]>} */
async function ourDaemon() {
  if (!fs.existsSync(paths.dockerdPid)) return [];
  const pid = fs.readFileSync(paths.dockerdPid, "utf8").trim();
  if (processName(pid) !== "dockerd") return [];
  const { stdout } = await ask("docker", ["ps", "--quiet"]);
  if (stdout !== "") return [];
  return [{ what: `the Docker engine that setup started (process ${pid})`, remove: () => process.kill(Number(pid), "SIGTERM") }];
}

/** Containers made from our images, whose label they inherit: they and the state of their stacks would be orphaned. */
async function standingHosts() {
  const { stdout } = await ask("docker", ["ps", "--all", "--format", "{{.Names}}", "--filter", `label=${recipeLabel}`]);
  return lines(stdout);
}

async function main() {
  const args = process.argv.slice(2);
  if (args.some((arg) => !["--list", "--all", "--force"].includes(arg))) return fail(usage);
  const hosts = await standingHosts();
  const force = args.includes("--force");
  const list = await removals({ all: args.includes("--all") });
  for (const { what } of list) process.stdout.write(`${what}\n`);
  const { packages = [] } = readJournal();
  if (packages.length > 0) process.stdout.write(`stays: Debian packages that setup installed (apt-get remove ${packages.join(" ")})\n`);
  if (args.includes("--list")) {
    if (hosts.length > 0) process.stdout.write(`in the way: hosts ${hosts.join(", ")}\n`);
    return;
  }
  if (hosts.length > 0 && !force) {
    return fail(`nothing removed: hosts still stand (${hosts.join(", ")}). Destroy their stacks first, or use --force to remove the containers`);
  }
  if (hosts.length > 0) await ask("docker", ["rm", "--force", "--volumes", ...hosts], { timeout: 120_000 });
  for (const { remove } of list) await remove();
  process.stdout.write("removed\n");
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

main().catch((error) => fail(error instanceof Error ? error.message : String(error)));
