// @ts-check
"use strict";
const { ask, find, isRoot, run } = require("./programs");
const { note } = require("./journal");
const { labEnv } = require("./env");

/** Whether Debian packages can be installed here. */
const canInstall = () => isRoot && find("apt-get") !== undefined;

/** @type {Promise<void> | undefined} */
let updated;

/**
 * Installs packages; those that this release does not know are left out.
 * @param {readonly string[]} wanted
 */
async function install(wanted) {
  // A machine may have third-party sources that do not answer; those of the distribution are enough.
  updated ??= run("apt-update", "apt-get", ["-qq", "update"]).catch(() => {});
  await updated;
  const known = await Promise.all(wanted.map(async (name) => ((await ask("apt-cache", ["show", "--no-all-versions", name])).ok ? name : undefined)));
  const absent = await Promise.all(wanted.map(async (name) => ((await isInstalled(name)) ? undefined : name)));
  const packages = wanted.filter((name) => known.includes(name) && absent.includes(name));
  if (packages.length === 0) return;
  await run("apt-install", "apt-get", ["install", "-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", ...packages], {
    env: { ...labEnv(), DEBIAN_FRONTEND: "noninteractive" },
    fix: "install them by hand, then run this again",
  });
  note("packages", packages);
}

/** @param {string} name */
async function isInstalled(name) {
  const { ok, stdout } = await ask("dpkg-query", ["-W", "-f", "${db:Status-Status}", name]);
  return ok && stdout === "installed";
}

module.exports = { canInstall, install };
