// @ts-check
// Where the lab of this checkout lives, and the environment in which its Pulumi runs. Everything is below `.lab`, so that
// nothing of it meets the Pulumi that the user works with otherwise.
"use strict";
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const root = path.resolve(__dirname, "../..");
const lab = path.join(root, ".lab");

const paths = {
  root,
  lab,
  bin: path.join(lab, "bin"),
  logs: path.join(lab, "logs"),
  state: path.join(lab, "state"),
  pulumiHome: path.join(lab, "pulumi-home"),
  plugins: path.join(lab, "pulumi-home", "plugins"),
  passphrase: path.join(lab, "passphrase"),
  aptCache: path.join(lab, "apt"),
  /** Image of a tiny container for tests inside hosts: `docker import` takes it. */
  busybox: path.join(lab, "busybox.tar"),
  /** What stands for Docker Hub's `debian:trixie-slim`: `docker import` takes it. */
  debian: path.join(lab, "debian-trixie-slim.tar"),
  /** Python with Pulumi's package, for programs in that language. */
  python: path.join(lab, "python", "bin", "python"),
  dockerdPid: path.join(lab, "dockerd.pid"),
  dockerdLog: path.join(lab, "dockerd.log"),
  /** What the lab's container registry keeps. */
  registry: path.join(lab, "registry"),
  registryPid: path.join(lab, "registry.pid"),
  registryLog: path.join(lab, "registry.log"),
  /** What setup changed outside this folder; clean.js undoes it. */
  journal: path.join(lab, "journal.json"),
};

/**
 * What the lab sets, and nothing else.
 * @returns {Record<string, string>}
 */
function labVariables() {
  return {
    PATH: [paths.bin, process.env.PATH].filter(Boolean).join(path.delimiter),
    PULUMI_HOME: paths.pulumiHome,
    PULUMI_BACKEND_URL: pathToFileURL(paths.state).href,
    PULUMI_CONFIG_PASSPHRASE_FILE: paths.passphrase,
    PULUMI_SKIP_UPDATE_CHECK: "1",
    // `npm run build` and the tests check types; checking again at each run would cost a second and 130 MB.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
  };
}

/** Taken away, because they would win over the lab's own. */
const withoutVariables = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_STACK"];

/**
 * The whole environment for a program that runs in the lab.
 * @param {NodeJS.ProcessEnv} [base]
 * @returns {NodeJS.ProcessEnv}
 */
function labEnv(base = process.env) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...base, ...labVariables() };
  for (const name of withoutVariables) delete env[name];
  return env;
}

/** @param {string} value */
const quote = (value) => `'${value.replaceAll("'", `'\\''`)}'`;

/** For `eval "$(node tools/setup/env.js --shell)"`. PATH is extended, not replaced. */
function shellLines() {
  const { PATH: _, ...variables } = labVariables();
  return [
    `export PATH=${quote(paths.bin)}:"$PATH"`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`),
    `unset ${withoutVariables.join(" ")}`,
  ];
}

module.exports = { paths, labEnv, labVariables };

if (require.main === module) {
  const lines = process.argv.includes("--shell") ? shellLines() : [JSON.stringify(labVariables(), undefined, 2)];
  process.stdout.write(`${lines.join("\n")}\n`);
}
