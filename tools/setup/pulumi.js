// @ts-check
"use strict";
const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { paths } = require("./env");
const { fingerprint, readStamp, writeStamp } = require("./fingerprint");
const { pulumiReachable } = require("./internet");
const { ask, find, run } = require("./programs");
const { Progress, SetupError } = require("./report");

const cliModule = "github.com/pulumi/pulumi/pkg/v3";
const languageHost = "pulumi-language-nodejs";
/** The last one that has the language host's program: newer ones keep it in a module that nobody publishes. */
const hostModule = "github.com/pulumi/pulumi/sdk/v3";
const hostRecipe = "tools/go/nodejs";

/** The Pulumi CLI with what it needs to run Node programs, and a home of its own for them. */
async function pulumi() {
  const progress = new Progress("pulumi");
  makeHome();
  const wanted = pinnedVersion();
  let found = await suitable(wanted);
  if (found === undefined) {
    await get(progress, wanted);
    found = await suitable(wanted);
  } else if (hostIsOld()) {
    progress.working("building the Node language host");
    await buildHost(wanted);
  }
  if (found === undefined) throw new SetupError("pulumi does not start", `run "${path.join(paths.bin, "pulumi")} version" to see why`);
  progress.done(found);
}

function makeHome() {
  for (const folder of [paths.bin, paths.state, paths.plugins]) fs.mkdirSync(folder, { recursive: true });
  // Keeps the secrets of local stacks only. Lost with `.lab`, as the stacks themselves are.
  if (!fs.existsSync(paths.passphrase)) fs.writeFileSync(paths.passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
}

/** The version that the Go module pins is also the oldest that will do, and the one to download. */
function pinnedVersion() {
  const goMod = fs.readFileSync(path.join(paths.root, "tools/go/cli/go.mod"), "utf8");
  const version = goMod.match(new RegExp(`${cliModule} v([0-9.]+)`))?.[1];
  if (version === undefined) throw new SetupError(`tools/go/cli/go.mod does not name ${cliModule}`, "restore the file");
  return version;
}

/**
 * @param {string} wanted
 * @returns {Promise<string | undefined>} the version of the CLI that will be used, if it is new enough and complete
 */
async function suitable(wanted) {
  const cli = find("pulumi");
  const host = find(languageHost);
  if (cli === undefined || host === undefined) return undefined;
  const { mtimeMs, size } = fs.statSync(cli);
  const file = `${cli} ${size} ${mtimeMs} `;
  const known = readStamp("pulumi");
  // Asking costs 0.2 s; the same file gives the same answer.
  const version = known?.startsWith(file) ? known.slice(file.length) : (await ask(cli, ["version"])).stdout;
  if (!isAtLeast(version, wanted)) return undefined;
  writeStamp("pulumi", file + version);
  return version;
}

/**
 * @param {string} version as `v3.230.0`
 * @param {string} least
 */
function isAtLeast(version, least) {
  const match = version.match(/^v?(\d+)\.(\d+)\.(\d+)/);
  if (match === null) return false;
  const [major = 0, minor = 0, patch = 0] = match.slice(1).map(Number);
  const [leastMajor = 0, leastMinor = 0, leastPatch = 0] = least.split(".").map(Number);
  if (major !== leastMajor) return major > leastMajor;
  return minor !== leastMinor ? minor > leastMinor : patch >= leastPatch;
}

/**
 * @param {Progress} progress
 * @param {string} version
 */
async function get(progress, version) {
  if (await pulumiReachable()) {
    progress.working(`downloading ${version}`);
    const installer = 'curl -fsSL https://get.pulumi.com | sh -s -- --version "$1" --install-root "$2" --no-edit-path';
    await run("pulumi-install", "sh", ["-c", installer, "sh", version, paths.lab]);
    return hostIsMade();
  }
  if (find("go") === undefined) {
    throw new SetupError(
      `pulumi ${version} or newer is not here`,
      "install it (https://www.pulumi.com/docs/install), or install Go, from whose modules it can be built",
    );
  }
  progress.working(`building the CLI ${version} from Go modules, about 3 minutes the first time`);
  await goBuild("cli", version);
  await buildHost(version);
}

/** One of ours that was built before its recipe changed. One from elsewhere on PATH is as new as its CLI. */
function hostIsOld() {
  return find(languageHost) === path.join(paths.bin, languageHost) && readStamp("language-host") !== fingerprint([hostRecipe]);
}

function hostIsMade() {
  writeStamp("language-host", fingerprint([hostRecipe]));
}

/** @param {string} version */
async function buildHost(version) {
  if (find("go") === undefined) throw new SetupError("there is no Go", "install it: the Node language host is built with it");
  await goBuild("nodejs", version, await patchedHost());
  hostIsMade();
}

/**
 * A module that builds the language host from its source with our patches, which go.sum has vouched for before.
 * @returns {Promise<string>} its folder
 */
async function patchedHost() {
  const recipe = path.join(paths.root, hostRecipe);
  const downloaded = await ask("go", ["mod", "download", "-json", hostModule], { cwd: recipe, timeout: 300_000 });
  if (!downloaded.ok) throw new SetupError(`the Go module ${hostModule} cannot be had`, downloaded.stderr.split("\n")[0] ?? "is there a Go proxy?");
  const work = path.join(paths.lab, "language-host");
  const source = path.join(work, "source");
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(work, { recursive: true });
  // The module cache is read-only, and so would be a copy of it.
  await run("language-host-copy", "sh", ["-c", 'cp -R "$1" "$2" && chmod -R u+w "$2"', "sh", JSON.parse(downloaded.stdout).Dir, source]);
  for (const patch of fs.readdirSync(path.join(recipe, "patches")).sort()) {
    await run("language-host-patch", "patch", ["--strip=1", "--batch", `--input=${path.join(recipe, "patches", patch)}`], { cwd: source });
  }
  const goMod = fs.readFileSync(path.join(recipe, "go.mod"), "utf8");
  fs.writeFileSync(path.join(work, "go.mod"), `${goMod}\nreplace ${hostModule} => ./source\n`);
  fs.copyFileSync(path.join(recipe, "go.sum"), path.join(work, "go.sum"));
  return work;
}

/**
 * Builds the tool of a module in tools/go. Each has its own module, because their dependencies do not agree.
 * @param {string} name
 * @param {string} version what the program says of itself: the Automation API asks
 * @param {string} [cwd] where the module is
 * @param {string} [own] a program of ours in the module, instead of its tool
 */
async function goBuild(name, version, cwd = path.join(paths.root, "tools/go", name), own) {
  const tool = own ?? fs.readFileSync(path.join(cwd, "go.mod"), "utf8").match(/^tool (\S+)$/m)?.[1];
  if (tool === undefined) throw new SetupError(`tools/go/${name}/go.mod names no tool`, "restore the file");
  const stamp = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
  await run(
    `go-build-${name}`,
    "go",
    ["build", "-mod=readonly", "-ldflags", `-s -w ${stamp}`, "-o", path.join(paths.bin, path.basename(tool)), tool],
    { cwd },
  );
}

module.exports = { goBuild, pinnedVersion, pulumi };
