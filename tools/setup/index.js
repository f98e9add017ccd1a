// @ts-check
// Everything that the tests and the demonstration need on this machine: finds it or gets it. README.md tells the rest.
//
//   node tools/setup/index.js [--quiet] [packages | pulumi | docker | tools | overlays | languages | kernel | debian | image:VARIANT] …
"use strict";
const { busybox, ensureHostImage, variants } = require("./host-image");
const { debian } = require("./debian");
const { build, dependencies } = require("./dependencies");
const { docker } = require("./docker");
const { guard } = require("./guard");
const { kernel } = require("./kernel");
const { languages } = require("./languages");
const { alone } = require("./lock");
const { overlays } = require("./overlays");
const { plugins } = require("./plugins");
const { pulumi } = require("./pulumi");
const { SetupError, setQuiet } = require("./report");
const { tools } = require("./tools");

/** @param {readonly string[]} parts which parts to set up; none means all */
async function setup(parts) {
  const wants = (/** @type {string} */ part) => parts.length === 0 || parts.includes(part);
  // Virtual machines are made of this image.
  const own = wants("kernel") ? ["trixie"] : [];
  const images = [...new Set([...own, ...parts.filter((part) => part.startsWith("image:")).map((part) => part.slice("image:".length))])];
  // Compiling, downloading and installing go on side by side; each waits only for what it needs.
  const packages = wants("packages") || wants("pulumi") ? dependencies() : Promise.resolve();
  const cli = wants("pulumi") ? pulumi() : Promise.resolve();
  await allOf([
    packages.then(() => (wants("packages") || wants("pulumi") ? build() : undefined)),
    allOf([packages, cli]).then(() => (wants("pulumi") ? plugins() : undefined)),
    // One after the other: all may install Debian packages.
    (wants("docker") || wants("overlays") || images.length > 0 ? hosts(images) : Promise.resolve())
      .then(() => (parts.includes("debian") ? debian() : undefined))
      .then(() => (wants("tools") ? tools() : undefined))
      .then(() => (wants("overlays") ? overlays() : undefined))
      .then(() => (wants("kernel") ? kernel() : undefined))
      // The vendor's CLI brings what runs other languages.
      .then(() => (wants("languages") ? cli.then(languages) : undefined)),
  ]);
  // Last: what was downloaded may have come from a private address.
  if (parts.length === 0) await guard();
}

/** @param {readonly string[]} images */
async function hosts(images) {
  await docker();
  for (const variant of images) await ensureHostImage(variant);
  if (images.includes("trixie")) await busybox();
}

/**
 * Waits for all, and then tells of everything that went wrong, not only of the first.
 * @param {readonly Promise<unknown>[]} works
 */
async function allOf(works) {
  const failed = (await Promise.allSettled(works)).flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  const reasons = new Set(failed.flatMap((reason) => (reason instanceof AggregateError ? reason.errors : [reason])));
  if (reasons.size > 0) throw new AggregateError([...reasons]);
}

/** @param {unknown} error */
function tell(error) {
  const errors = error instanceof AggregateError ? error.errors : [error];
  for (const each of errors)
    process.stderr.write(`setup: ${each instanceof SetupError ? each.message : each instanceof Error ? each.stack : String(each)}\n`);
}

async function main() {
  const args = process.argv.slice(2);
  setQuiet(args.includes("--quiet"));
  const parts = args.filter((arg) => arg !== "--quiet");
  const images = Object.keys(variants).map((variant) => `image:${variant}`);
  const known = ["packages", "pulumi", "docker", "tools", "overlays", "languages", "kernel", "debian", ...images];
  const unknown = parts.filter((part) => !known.includes(part));
  if (unknown.length > 0) throw new SetupError(`there is no part ${unknown.join(", ")}`, `use ${known.join(", ")}, or nothing for all`);
  await alone(() => setup(parts));
}

if (require.main === module) {
  main().catch((error) => {
    tell(error);
    process.exitCode = 1;
  });
}

module.exports = { ensureHostImage, setup };
