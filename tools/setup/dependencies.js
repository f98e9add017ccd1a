// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { paths } = require("./env");
const { fingerprint, readStamp, writeStamp } = require("./fingerprint");
const { run } = require("./programs");
const { Progress } = require("./report");

/** The npm packages that package-lock.json names. */
async function dependencies() {
  const progress = new Progress("npm packages");
  if (!isInstalled()) {
    progress.working("npm ci");
    await run("npm-ci", "npm", ["ci", "--no-audit", "--no-fund"]);
  }
  progress.done();
}

/** npm writes down beside the packages what it installed: the same versions as in package-lock.json, or it is out of date. */
function isInstalled() {
  const present = lockedPackages("node_modules/.package-lock.json");
  const wanted = lockedPackages("package-lock.json");
  return Object.entries(wanted).every(([name, { version, integrity, optional }]) => {
    // npm leaves out what is for other platforms.
    if (name === "" || (optional && !present[name])) return true;
    return present[name]?.version === version && present[name]?.integrity === integrity;
  });
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }>}
 */
function lockedPackages(lockFile) {
  const file = path.join(paths.root, lockFile);
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")).packages : {};
}

/** What `npm run build` reads. */
function sources() {
  const tools = fs.readdirSync(path.join(paths.root, "tools")).filter((name) => !["go", "image", "kernel", "setup"].includes(name));
  return [
    "components",
    "plugin",
    "stacks",
    ...tools.map((name) => path.join("tools", name)),
    "package-lock.json",
    "tsconfig.json",
    "tsconfig.build.json",
  ];
}

/** The compiled programs, for the stand-in plugins and for tests that use the package as it is published. */
async function build() {
  const progress = new Progress("build");
  const state = fingerprint(sources());
  if (readStamp("build") !== state || !fs.existsSync(path.join(paths.root, "dist", "components", "index.js"))) {
    progress.working("npm run build");
    await run("npm-run-build", "npm", ["run", "build"]);
    writeStamp("build", state);
  }
  progress.done();
}

module.exports = { build, dependencies };
