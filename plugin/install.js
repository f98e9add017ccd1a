// @ts-check
"use strict";
// Pulumi gets a plugin out of a git repository by cloning it and running `npm install` in this folder. What runs is compiled and is not
// in git, so it is built then: from the sources of that very commit, with the packages that its lock file names.
const { spawnSync } = require("node:child_process");
const { existsSync, mkdirSync } = require("node:fs");
const path = require("node:path");

const root = path.dirname(__dirname);

/** npm tells its scripts how it was called itself, such as `--omit=dev`, and where; the build wants neither. What files say stays. */
function ownEnvironment() {
  const toScripts = /^npm_(config_(omit|include|production|only|local_prefix|prefix|global|location)|package_|lifecycle_|command|execpath)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !toScripts.test(name)));
}

/** @param {readonly string[]} command */
function run(...command) {
  const [program = "", ...args] = command;
  // Windows starts npm by a script.
  const shell = program === "npm" && process.platform === "win32";
  const { status, error } = spawnSync(program, args, { cwd: root, env: ownEnvironment(), stdio: "inherit", shell });
  if (status === 0) return;
  const why = error ? `does not start: ${error.message}` : "failed; it says why above";
  process.stderr.write(`The plugin in ${__dirname} cannot be built: "${command.join(" ")}" in ${root} ${why}.\n`);
  process.exit(1);
}

// Pulumi looks for it, and npm makes none where there is nothing to install.
mkdirSync(path.join(__dirname, "node_modules"), { recursive: true });
// The npm package has no sources: it was built before it was published. Neither is a checkout built again that a person works on.
if (existsSync(path.join(root, "tsconfig.build.json")) && !existsSync(path.join(root, "dist", "plugin", "provider.js"))) {
  // No package's own script is needed, and some of them fetch from elsewhere than npm's registry.
  run("npm", "ci", "--include=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund");
  // As "npm run build" does, which finds no tsc where a folder's name has a colon, as of a host with a port.
  run(process.execPath, path.join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json");
  run(process.execPath, path.join("tools", "copy-scripts.js"));
}
