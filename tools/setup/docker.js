// @ts-check
// A Docker engine on this machine, for the containers that play hosts.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const apt = require("./apt");
const { labEnv, paths } = require("./env");
const { note } = require("./journal");
const { ask, find, isRoot, lastLines, run } = require("./programs");
const { Progress, SetupError } = require("./report");

const startLimit = 30_000;
const inotifyInstances = "/proc/sys/fs/inotify/max_user_instances";
const inotifyWanted = 1024;

async function docker() {
  const progress = new Progress("docker");
  let { version, problem } = await engine();
  if (version === undefined) {
    refuseUnlessWeMayStart(problem);
    await installEngine(progress);
    await start(progress);
    ({ version, problem } = await engine());
    if (version === undefined) throw new SetupError("the Docker engine does not answer", problem);
  }
  raiseInotifyLimit(progress);
  progress.done(`engine ${version}`);
}

/** @returns {Promise<{ version: string | undefined, problem: string }>} the engine that answers, or why none does */
async function engine() {
  const cli = find("docker");
  if (cli === undefined) return { version: undefined, problem: "there is no docker program" };
  const { ok, stdout, stderr } = await ask(cli, ["version", "--format", "{{.Server.Version}}"]);
  return { version: ok && stdout !== "" ? stdout : undefined, problem: stderr };
}

/** @param {string} problem */
function refuseUnlessWeMayStart(problem) {
  const remote = process.env.DOCKER_HOST;
  if (remote) throw new SetupError(`no Docker engine answers at DOCKER_HOST=${remote}`, "start it, or unset the variable to use this machine's own");
  if (/permission denied/i.test(problem)) {
    throw new SetupError(
      "the Docker engine refuses this user",
      "join its group (sudo usermod -aG docker $USER, then log in again), or run this as root",
    );
  }
  if (process.platform !== "linux") throw new SetupError("no Docker engine answers", "local hosts need Linux: run this there");
  if (!isRoot)
    throw new SetupError(
      "no Docker engine answers",
      "install and start Docker (https://docs.docker.com/engine/install), or run this as root on Debian or Ubuntu",
    );
}

/** @param {Progress} progress */
async function installEngine(progress) {
  if (find("dockerd") !== undefined && find("docker") !== undefined && find("iptables") !== undefined) return;
  if (!apt.canInstall()) throw new SetupError("Docker is not installed", "install it: https://docs.docker.com/engine/install");
  progress.working("installing from the distribution, about a minute");
  // Docker's client is a package of its own in newer releases. mmdebstrap comes along for the host image.
  await apt.install(["docker.io", "docker-cli", "iptables", "nftables", "iproute2", "ca-certificates", "mmdebstrap", "debian-archive-keyring"]);
}

/**
 * Where an init system runs, Docker is its business; elsewhere the daemon is started here and outlives this program.
 * @param {Progress} progress
 */
async function start(progress) {
  if ((await engine()).version !== undefined) return;
  progress.working("starting the engine");
  if (fs.existsSync("/run/systemd/system")) {
    return run("docker-start", "systemctl", ["start", "docker"], { fix: "see systemctl status docker" });
  }
  if (!anyoneRuns("dockerd")) {
    forgetDeadProcess("/var/run/docker.pid", "dockerd");
    forgetDeadProcess("/var/run/docker/containerd/containerd.pid", "containerd");
    spawnDaemon();
  }
  await answersInTime();
}

/**
 * When processes were ended hard, their pid files stay. The number may belong to another process by now, and then Docker
 * takes it for its own and does not start.
 * @param {string} pidFile
 * @param {string} program
 */
function forgetDeadProcess(pidFile, program) {
  if (!fs.existsSync(pidFile)) return;
  const pid = fs.readFileSync(pidFile, "utf8").trim();
  if (processName(pid) !== program) fs.rmSync(pidFile);
}

/** @param {string} pid */
function processName(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** @param {string} program */
const anyoneRuns = (program) => fs.readdirSync("/proc").some((entry) => /^\d+$/.test(entry) && processName(entry) === program);

function spawnDaemon() {
  const program = find("dockerd");
  if (program === undefined) throw new SetupError("dockerd is not installed", "install Docker's engine, not only its client");
  const log = fs.openSync(paths.dockerdLog, "a");
  const daemon = spawn(program, [], { detached: true, stdio: ["ignore", log, log], env: withoutLab(), cwd: "/" });
  fs.closeSync(log);
  fs.writeFileSync(paths.dockerdPid, String(daemon.pid));
  daemon.unref();
}

/** The machine's daemon is not part of the lab. */
function withoutLab() {
  const lab = labEnv({});
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name === "PATH" || !(name in lab)));
}

async function answersInTime() {
  const limit = Date.now() + startLimit;
  while ((await engine()).version === undefined) {
    if (Date.now() > limit) {
      const log = fs.existsSync(paths.dockerdLog)
        ? `${path.relative(paths.root, paths.dockerdLog)} ends with:\n${lastLines(paths.dockerdLog, 12)}`
        : "it was started by someone else";
      throw new SetupError(`the Docker engine does not answer ${startLimit / 1000} s after its start`, log);
    }
    await pause(200);
  }
}

/**
 * Each systemd host takes five to nine instances; the usual 128 are used up by fifteen hosts.
 * @param {Progress} progress
 */
function raiseInotifyLimit(progress) {
  if (!fs.existsSync(inotifyInstances)) return;
  const found = fs.readFileSync(inotifyInstances, "utf8").trim();
  if (Number(found) >= inotifyWanted) return;
  try {
    fs.writeFileSync(inotifyInstances, String(inotifyWanted));
    note("inotify", [found]);
  } catch {
    progress.warn(`more than ${Math.floor(Number(found) / 9)} hosts may not start: sudo sysctl fs.inotify.max_user_instances=${inotifyWanted}`);
  }
}

module.exports = { docker, inotifyInstances, processName };
