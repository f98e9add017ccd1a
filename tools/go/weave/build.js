// @ts-check
// Weave's router for the lab's hosts, built from its Go module, because the lab reaches no image registry.
//
//   node tools/go/weave/build.js FOLDER      makes FOLDER/weaver
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const apt = require("../../setup/apt");
const { labEnv, paths } = require("../../setup/env");
const { fingerprint, readStamp, writeStamp } = require("../../setup/fingerprint");
const { ask, find, run } = require("../../setup/programs");
const { Progress, SetupError } = require("../../setup/report");

const recipe = "tools/go/weave";
const moduleName = "github.com/weaveworks/weave";
/** Its program's name, and that of its own import path. */
const program = "weaver";
/** Where the C library that captures packets has its header. */
const captureHeader = "/usr/include/pcap/pcap.h";

/**
 * @param {string} folder
 * @returns {Promise<{ file: string, version: string }>} the router, and the version of Weave it is
 */
async function buildWeave(folder) {
  const progress = new Progress("Weave's router");
  const version = pinnedVersion();
  const file = path.resolve(folder, program);
  const stamp = `${fingerprint([recipe])} ${file}`;
  if (readStamp("weave") !== stamp || !fs.existsSync(file)) {
    await needCompiler(progress);
    progress.working(`building ${version} from Go modules, about a minute the first time`);
    await compile(await patchedSource(version), version, file);
    writeStamp("weave", stamp);
  }
  progress.done(version);
  return { file, version };
}

/** The version that go.mod names, as Weave's own images are tagged: `2.6.5`. */
function pinnedVersion() {
  const goMod = fs.readFileSync(path.join(paths.root, recipe, "go.mod"), "utf8");
  const version = goMod.match(new RegExp(`${moduleName} v([0-9.]+)\\+incompatible`))?.[1];
  if (version === undefined) throw new SetupError(`${recipe}/go.mod does not name ${moduleName}`, "restore the file");
  return version;
}

/** @param {Progress} progress */
async function needCompiler(progress) {
  if (find("go") === undefined) throw new SetupError("there is no Go", "install it: Weave's router is built with it");
  if (find("gcc") !== undefined && fs.existsSync(captureHeader)) return;
  if (!apt.canInstall()) throw new SetupError("there is no gcc or no libpcap to build Weave's router with", "install gcc and libpcap's headers");
  progress.working("installing gcc and libpcap's headers");
  await apt.install(["gcc", "libc6-dev", "libpcap-dev"]);
}

/**
 * A copy of Weave's source with the patches, which go.sum has vouched for before.
 * @param {string} version
 * @returns {Promise<string>} the folder of a module that builds the router from it
 */
async function patchedSource(version) {
  const recipeFolder = path.join(paths.root, recipe);
  const downloaded = await ask("go", ["mod", "download", "-json", `${moduleName}@v${version}+incompatible`], { cwd: recipeFolder, timeout: 300_000 });
  if (!downloaded.ok) throw new SetupError(`the Go module ${moduleName} cannot be had`, downloaded.stderr.split("\n")[0] ?? "is there a Go proxy?");
  const work = path.join(paths.lab, "weave");
  const source = path.join(work, "source");
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(work, { recursive: true });
  // The module cache is read-only, and so would be a copy of it.
  await run("weave-copy", "sh", ["-c", 'cp -R "$1" "$2" && chmod -R u+w "$2"', "sh", JSON.parse(downloaded.stdout).Dir, source]);
  for (const patch of fs.readdirSync(path.join(recipeFolder, "patches")).sort()) {
    await run("weave-patch", "patch", ["--strip=1", "--batch", `--input=${path.join(recipeFolder, "patches", patch)}`], { cwd: source });
  }
  // It is older than Go's modules.
  fs.writeFileSync(path.join(source, "go.mod"), `module ${moduleName}\n`);
  const goMod = fs.readFileSync(path.join(recipeFolder, "go.mod"), "utf8");
  fs.writeFileSync(path.join(work, "go.mod"), `${goMod}\nreplace ${moduleName} => ./source\n`);
  fs.copyFileSync(path.join(recipeFolder, "go.sum"), path.join(work, "go.sum"));
  return work;
}

/**
 * One file without libraries, as Weave's own is: it runs on any release of the hosts. What libpcap would need to capture from
 * D-Bus and the like is left out: it is asked only for interfaces of such names.
 * @param {string} cwd
 * @param {string} version
 * @param {string} file
 */
async function compile(cwd, version, file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const linker = '-linkmode external -extldflags "-static -Wl,--unresolved-symbols=ignore-all"';
  const flags = `-s -w -X main.version=${version} ${linker}`;
  await run(
    "weave-build",
    "go",
    ["build", "-mod=readonly", "-trimpath", "-tags", "netgo,osusergo", "-ldflags", flags, "-o", file, `${moduleName}/prog/${program}`],
    {
      cwd,
      env: { ...labEnv(), CGO_ENABLED: "1" },
    },
  );
}

module.exports = { buildWeave };

if (require.main === module) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    process.stderr.write("build.js: give the folder for the router\n");
    process.exit(2);
  }
  buildWeave(folder).catch((/** @type {Error} */ error) => {
    process.stderr.write(`build.js: ${error.message}\n`);
    process.exitCode = 1;
  });
}
