// @ts-check
// What runs Pulumi programs in other languages, for the tests and for the examples: YAML, Python and Go.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const apt = require("./apt");
const { paths } = require("./env");
const { fingerprint, readStamp, writeStamp } = require("./fingerprint");
const { patchedModule } = require("./patched-module");
const { ask, find, run } = require("./programs");
const { goBuild, pinnedVersion } = require("./pulumi");
const { Progress, SetupError } = require("./report");

/** The last one with the language host's program, as for Node. */
const pythonModule = "github.com/pulumi/pulumi/sdk/v3";
const yamlModule = "github.com/pulumi/pulumi-yaml";
/** What the generated Python package needs beside Pulumi's own, and its installation. */
const alsoForPython = ["parver", "semver", "setuptools", "wheel"];

/** Without them only the tests of other languages are left out, which say so. */
async function languages() {
  const progress = new Progress("languages");
  const here = [];
  for (const { name, get } of [
    { name: "YAML", get: yaml },
    { name: "Python", get: python },
    { name: "Go", get: golang },
  ]) {
    try {
      await get(progress);
      here.push(name);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      progress.warn(`programs in ${name} cannot be run here: ${error.message}; the tests of it say so`);
    }
  }
  progress.done(here.join(", "));
}

/** @param {Progress} progress */
function yaml(progress) {
  return built(progress, "yaml", ["tools/go/yaml"], async () => {
    const recipe = fs.readFileSync(path.join(paths.root, "tools/go/yaml/go.mod"), "utf8");
    const version = recipe.match(new RegExp(`${yamlModule} (v\\S+)`))?.[1];
    if (version === undefined) throw new SetupError(`tools/go/yaml/go.mod does not name ${yamlModule}`, "restore the file");
    // Nobody has a .NET SDK here: its package is written, to be looked at, and not compiled.
    await goBuild("yaml", pinnedVersion(), undefined, "./dotnet-sdk");
    await goBuild("yaml", pinnedVersion(), await patchedModule("tools/go/yaml", yamlModule, version));
  });
}

/** @param {Progress} progress */
function golang(progress) {
  return built(progress, "go", ["tools/go/golang", "tools/go/cli"], async () => {
    await goBuild("cli", pinnedVersion(), undefined, "./write-sdk");
    await goBuild("golang", pinnedVersion());
  });
}

/** @param {Progress} progress */
async function python(progress) {
  await built(progress, "python", ["tools/go/python", "tools/go/cli"], async () => {
    await executor();
    await goBuild("cli", pinnedVersion(), undefined, "./write-sdk");
    await goBuild("python", pinnedVersion());
  });
  await packages(progress);
}

/**
 * A language host that came with the CLI is as good; one of ours is built again when its recipe has changed.
 * @param {Progress} progress
 * @param {string} language
 * @param {readonly string[]} recipe
 * @param {() => Promise<void>} build
 */
async function built(progress, language, recipe, build) {
  const name = `pulumi-language-${language}`;
  const found = find(name);
  const [stamp, state] = [`language-${language}`, fingerprint(recipe)];
  // It is built last, and has its stamp then: one without is the vendor's.
  if (found !== undefined && [state, undefined].includes(readStamp(stamp))) return;
  if (find("go") === undefined)
    throw new SetupError(`there is no ${name}`, "install Pulumi's own CLI, which has it, or Go, from whose modules it can be built");
  progress.working(`building the host of ${language} programs from Go modules`);
  await build();
  writeStamp(stamp, state);
}

/** The script by which the Python host starts programs; it looks for it beside itself. */
async function executor() {
  const name = "pulumi-language-python-exec";
  const cwd = path.join(paths.root, "tools/go/python");
  const downloaded = await ask("go", ["mod", "download", "-json", pythonModule], { cwd, timeout: 300_000 });
  if (!downloaded.ok) throw new SetupError(`the Go module ${pythonModule} cannot be had`, downloaded.stderr.split("\n")[0] ?? "is there a Go proxy?");
  const script = path.join(paths.bin, name);
  fs.rmSync(script, { force: true });
  fs.copyFileSync(path.join(JSON.parse(downloaded.stdout).Dir, "python/cmd", name), script);
  fs.chmodSync(script, 0o755);
}

/**
 * Python's packages in a folder of the lab, which Pulumi uses by the variable PULUMI_PYTHON_CMD.
 * @param {Progress} progress
 */
async function packages(progress) {
  const wanted = [`pulumi==${pinnedVersion()}`, ...alsoForPython];
  if (find("python3") === undefined && apt.canInstall()) await apt.install(["python3", "python3-venv"]);
  const interpreter = find("python3");
  if (interpreter === undefined) throw new SetupError("there is no python3", "install it, with its module venv");
  const [stamp, state] = ["python-packages", [interpreter, ...wanted].join(" ")];
  if (readStamp(stamp) === state && fs.existsSync(paths.python)) return;
  progress.working("installing Pulumi's package for Python");
  const folder = path.dirname(path.dirname(paths.python));
  fs.rmSync(folder, { recursive: true, force: true });
  await run("python-venv", interpreter, ["-m", "venv", folder], { fix: "Debian has it in the package python3-venv" });
  await run("python-packages", paths.python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...wanted], {
    fix: "is there a Python package index?",
  });
  writeStamp(stamp, state);
}

module.exports = { languages };
