// @ts-check
// Runs the rings of tests and says how long each took: node tools/test.js [ring …]
"use strict";
const { spawnSync } = require("node:child_process");
const { existsSync, readdirSync } = require("node:fs");
const path = require("node:path");
const { labEnv } = require("./setup/env.js");

const root = path.resolve(__dirname, "..");
/** In the order of what is cheapest to fail. */
const rings = ["unit", "graph", "lint", "engine", "package", "lab"];

/** @param {string} ring */
function files(ring) {
  const folder = path.join(root, "test", ring);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => path.join("test", ring, file));
}

const asked = process.argv.slice(2);
const unknown = asked.filter((ring) => !rings.includes(ring));
if (unknown.length > 0) {
  process.stderr.write(`there is no ring ${unknown.join(", ")}; there are ${rings.join(", ")}\n`);
  process.exit(2);
}

/** @type {string[]} */
const summary = [];
let failed = 0;
for (const ring of asked.length > 0 ? asked : rings) {
  const specs = files(ring);
  if (specs.length === 0) continue;
  process.stdout.write(`\n── ${ring} ──\n`);
  const start = Date.now();
  const { status } = spawnSync(process.execPath, [path.join("node_modules", "mocha", "bin", "mocha.js"), "--require", "ts-node/register", ...specs], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    // The lint ring checks all types once; ts-node would check them again in each ring.
    env: { ...labEnv(), TS_NODE_TRANSPILE_ONLY: "true" },
  });
  if (status !== 0) failed += 1;
  summary.push(`${ring.padEnd(8)} ${status === 0 ? "passed" : "FAILED"}  ${((Date.now() - start) / 1000).toFixed(1).padStart(6)} s`);
}
process.stdout.write(`\n${summary.join("\n")}\n`);
process.exit(failed === 0 ? 0 : 1);
