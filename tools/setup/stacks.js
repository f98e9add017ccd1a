// @ts-check
// Which stacks of the lab have something that a provider's plugin made.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

/**
 * @param {string} state folder of Pulumi's file backend
 * @param {string} provider such as "docker"
 * @returns {string[]} as PROJECT/STACK, in their order by name
 */
function stacksWith(state, provider) {
  const folder = path.join(state, ".pulumi", "stacks");
  const files = fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return files
    .filter((file) => file.endsWith(".json") && hasAnyOf(path.join(folder, file), provider))
    .map((file) => file.slice(0, -".json".length))
    .sort();
}

/** @param {string} file @param {string} provider */
function hasAnyOf(file, provider) {
  /** @type {{ checkpoint?: { latest?: { resources?: { type: string }[] } } }} */
  const { checkpoint } = JSON.parse(fs.readFileSync(file, "utf8"));
  return (checkpoint?.latest?.resources ?? []).some(({ type }) => type.startsWith(`${provider}:`));
}

module.exports = { stacksWith };
