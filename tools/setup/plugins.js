// @ts-check
// The provider plugins that local stacks use: Pulumi's own where they can be had, otherwise this project's stand-ins.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { paths } = require("./env");
const { pulumiReachable } = require("./internet");
const { find, run } = require("./programs");
const { Progress } = require("./report");
const { stacksWith } = require("./stacks");

const providers = /** @type {const} */ (["command", "docker"]);
const marker = "STAND-IN";
/** A stand-in is kept this long before the vendor's site is tried again; so a set-up machine stays quick offline. */
const retryAfter = 60 * 60 * 1000;

async function plugins() {
  const progress = new Progress("pulumi plugins");
  // One after the other: two installations at once would show their progress mixed.
  const standIns = [];
  for (const name of providers) {
    const plugin = { name, version: sdkVersion(name) };
    if (find(`pulumi-resource-${name}`) !== undefined || isReal(plugin)) continue;
    const before = madeBy(paths.plugins, name);
    if (!isFreshStandIn(plugin) && (await pulumiReachable())) {
      const stacks = before.standIn ? stacksWith(paths.state, name) : [];
      if (stacks.length === 0 && (await download(progress, plugin))) continue;
      if (stacks.length > 0) progress.warn(keptFor(plugin, stacks));
    }
    const theirs = before.real && !before.standIn ? stacksWith(paths.state, name) : [];
    if (theirs.length > 0) progress.warn(replacedFor(plugin, theirs));
    writeStandIn(plugin);
    standIns.push(`${name} ${plugin.version}`);
  }
  progress.done(
    standIns.length > 0
      ? `stand-ins from tools/plugins for ${standIns.join(" and ")}, because Pulumi's plugins cannot be downloaded here`
      : undefined,
  );
}

/**
 * The real plugin's diff may find changes in what a stand-in made, and replace whole hosts for them.
 * @param {Plugin} plugin
 * @param {readonly string[]} stacks
 */
function keptFor({ name, version }, stacks) {
  return (
    `Pulumi's own ${name} ${version} can be downloaded now, but the stand-in stays, since it made resources of ${stacks.join(", ")}: ` +
    `the real plugin could replace them with all that runs on them. To change to it, destroy these stacks and run "npm run setup" again`
  );
}

/**
 * The other way round, as where another version is asked for and cannot be had.
 * @param {Plugin} plugin
 * @param {readonly string[]} stacks
 */
function replacedFor({ name, version }, stacks) {
  return (
    `Pulumi's own ${name} ${version} cannot be downloaded now, so a stand-in takes its place, also for ${stacks.join(", ")}, which an earlier version of Pulumi's own made: ` +
    `the stand-in could replace what is there. Before the next "pulumi up" of these stacks, look at its preview, or run "npm run setup" again where the download works`
  );
}

/**
 * @typedef {object} Plugin
 * @property {string} name
 * @property {string} version
 */

/** The plugin's version is that of its npm package. @param {string} name */
function sdkVersion(name) {
  /** @type {{ version: string, pulumi?: { version?: string } }} */
  const manifest = JSON.parse(fs.readFileSync(path.join(paths.root, "node_modules/@pulumi", name, "package.json"), "utf8"));
  return manifest.pulumi?.version ?? manifest.version;
}

/** @param {Plugin} plugin */
const folder = ({ name, version }) => path.join(paths.plugins, `resource-${name}-v${version}`);

/** @param {Plugin} plugin */
const program = (plugin) => path.join(folder(plugin), `pulumi-resource-${plugin.name}`);

/** @param {Plugin} plugin */
const isReal = (plugin) => fs.existsSync(program(plugin)) && !fs.existsSync(path.join(folder(plugin), marker));

/**
 * Which kinds of a plugin have been here, in any version: a stack may be of an earlier one.
 * @param {string} plugins folder of all plugins
 * @param {string} name
 */
function madeBy(plugins, name) {
  const all = fs.existsSync(plugins)
    ? fs.readdirSync(plugins).filter((each) => each.startsWith(`resource-${name}-v`) && !each.endsWith(".lock"))
    : [];
  const folders = all.map((each) => path.join(plugins, each)).filter((each) => fs.statSync(each).isDirectory());
  const standIns = folders.filter((each) => fs.existsSync(path.join(each, marker)));
  return { standIn: standIns.length > 0, real: folders.length > standIns.length };
}

/** @param {Plugin} plugin */
function isFreshStandIn(plugin) {
  const stat = fs.statSync(path.join(folder(plugin), marker), { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs < retryAfter;
}

/**
 * @param {Progress} progress
 * @param {Plugin} plugin
 * @returns {Promise<boolean>} whether it is there now
 */
async function download(progress, plugin) {
  progress.working(`downloading ${plugin.name} ${plugin.version}`);
  fs.rmSync(folder(plugin), { recursive: true, force: true });
  const pulumi = find("pulumi") ?? "pulumi";
  try {
    await run(`plugin-${plugin.name}`, pulumi, ["plugin", "install", "resource", plugin.name, plugin.version]);
    return true;
  } catch (error) {
    progress.warn(error instanceof Error ? error.message : String(error));
    return false;
  }
}

/** @param {Plugin} plugin */
function writeStandIn(plugin) {
  if (isFreshStandIn(plugin) && fs.existsSync(program(plugin))) return;
  const main = path.join(paths.root, "dist/tools/plugins", plugin.name, "main.js");
  fs.mkdirSync(folder(plugin), { recursive: true });
  fs.writeFileSync(program(plugin), `#!/bin/sh\nexec node '${main.replaceAll("'", `'\\''`)}' "$@"\n`, { mode: 0o755 });
  fs.writeFileSync(
    path.join(folder(plugin), marker),
    "Written by tools/setup/plugins.js; replaced when the vendor's site can be reached and no stack of the lab has resources that it made.\n",
  );
  // An installation that was cut short leaves this mark, which hides the plugin from Pulumi.
  fs.rmSync(`${folder(plugin)}.partial`, { force: true });
}

module.exports = { plugins, keptFor, replacedFor, madeBy };
