// @ts-check
// Programs of the machine: finding them, asking them, running them.
"use strict";
const { execFile, spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { labEnv, paths } = require("./env");
const { SetupError } = require("./report");

/**
 * The file that a command's name stands for, on PATH with the lab's own programs first.
 * @param {string} name
 * @returns {string | undefined}
 */
function find(name) {
  const folders = (labEnv().PATH ?? "").split(path.delimiter).concat("/usr/sbin", "/sbin");
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * A question: what a short-lived program answers. Never throws.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ timeout?: number, cwd?: string }} [options] timeout in milliseconds
 * @returns {Promise<{ ok: boolean, stdout: string, stderr: string }>}
 */
function ask(command, args, { timeout = 10_000, cwd = paths.root } = {}) {
  return new Promise((resolve) => {
    const child = execFile(command, args, { env: labEnv(), cwd, timeout, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      resolve({ ok: error === null, stdout: stdout.trim(), stderr: stderr.trim() });
    });
    child.stdin?.end();
  });
}

/**
 * Work: its output goes to a log of that name, of which the end is shown when it fails.
 * @param {string} log
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, fix?: string }} [options]
 * @returns {Promise<void>}
 */
function run(log, command, args, { cwd = paths.root, env = labEnv(), fix } = {}) {
  fs.mkdirSync(paths.logs, { recursive: true });
  const logFile = path.join(paths.logs, `${log}.log`);
  const output = fs.openSync(logFile, "w");
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", output, output] });
    child.on("error", (error) => finish(error.message));
    child.on("close", (code, signal) => finish(code === 0 ? undefined : `ended with ${signal ?? code}`));

    /** @param {string | undefined} problem */
    function finish(problem) {
      fs.closeSync(output);
      if (problem === undefined) return resolve();
      const told = `${[path.basename(command), ...args].join(" ").slice(0, 100)} ${problem}`;
      reject(new SetupError(told, `${fix ?? "see its output"} (${path.relative(paths.root, logFile)} ends with:)\n${lastLines(logFile, 12)}`));
    }
  });
}

/**
 * @param {string} file
 * @param {number} count
 */
function lastLines(file, count) {
  const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n").slice(-count);
  return lines.map((line) => `    ${line}`).join("\n");
}

const isRoot = process.getuid?.() === 0;

module.exports = { ask, find, isRoot, lastLines, run };
