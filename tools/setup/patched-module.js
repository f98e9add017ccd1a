// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { paths } = require("./env");
const { ask, run } = require("./programs");
const { SetupError } = require("./report");

/**
 * Makes a folder from which a Go module is built with a recipe's patches: the source is a copy, which go.sum has vouched for before.
 * @param {string} recipe folder with go.mod, go.sum and patches, such as `tools/go/flannel`
 * @param {string} module such as `github.com/flannel-io/flannel`
 * @param {string} version
 * @returns {Promise<string>} the folder
 */
async function patchedModule(recipe, module, version) {
  const recipeFolder = path.join(paths.root, recipe);
  const downloaded = await ask("go", ["mod", "download", "-json", `${module}@${version}`], { cwd: recipeFolder, timeout: 300_000 });
  if (!downloaded.ok) throw new SetupError(`the Go module ${module} cannot be had`, downloaded.stderr.split("\n")[0] ?? "is there a Go proxy?");
  const work = path.join(paths.lab, path.basename(recipe));
  const source = path.join(work, "source");
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(work, { recursive: true });
  const log = `patch-${path.basename(recipe)}`;
  // The module cache is read-only, and so would be a copy of it.
  await run(log, "sh", ["-c", 'cp -R "$1" "$2" && chmod -R u+w "$2"', "sh", JSON.parse(downloaded.stdout).Dir, source]);
  for (const patch of fs.readdirSync(path.join(recipeFolder, "patches")).sort()) {
    await run(log, "patch", ["--strip=1", "--batch", `--input=${path.join(recipeFolder, "patches", patch)}`], { cwd: source });
  }
  const goMod = fs.readFileSync(path.join(recipeFolder, "go.mod"), "utf8");
  fs.writeFileSync(path.join(work, "go.mod"), `${goMod}\nreplace ${module} => ./source\n`);
  fs.copyFileSync(path.join(recipeFolder, "go.sum"), path.join(work, "go.sum"));
  return work;
}

module.exports = { patchedModule };
