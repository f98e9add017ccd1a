// @ts-check
// Virtual machines that play hosts with a kernel of their own, made of the distribution's packages: QEMU without KVM, so that they
// run in containers and on virtual machines too.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const { labEnv, paths } = require("./env");
const { fingerprint } = require("./fingerprint");
const { exec, monitor } = require("./guest");
const { ensureHostImage, recipeLabel } = require("./host-image");
const { ask, isRoot, run } = require("./programs");
const { Progress, SetupError } = require("./report");

const recipeFolder = "tools/kernel";
/** What a cloud's image sets itself up with at its first boot, which guest.sh keeps turned off. */
const cloudPackages = ["cloud-init", "netplan.io", "systemd-resolved", "unattended-upgrades", "e2fsprogs"];
/** Of the machine: its kernel, what loads its modules, the agent by which it is spoken with from outside, and what looks at its network. The disk needs no initrd of Debian's. */
const guestPackages = [
  "kmod",
  "udev",
  "linux-image-cloud-amd64",
  "initramfs-tools-",
  "dracut-",
  "qemu-guest-agent",
  "openvswitch-switch",
  "nmap",
  "tcpdump",
  "iperf3",
  ...cloudPackages,
];
/** Of the container in which a machine runs, and its disk is made. */
const runnerPackages = ["qemu-system-x86", "qemu-utils", "kmod", "xz-utils", "e2fsprogs"];
const runnerImage = "pulumi-swarm-host:trixie-qemu";
const kernelLabel = "pulumi-swarm.kernel";
const memory = 1024;

const base = path.join(paths.lab, "kernel");
/** Its name says of what it was made. */
function folder() {
  return path.join(
    base,
    fingerprint([recipeFolder, "tools/image", "tools/host-packages.json"], [...guestPackages, ...runnerPackages, String(memory)]),
  );
}

/** What a container needs in which a machine runs. @param {"make" | "run"} verb @param {string} made folder of its disk */
function containerOptions(verb, made) {
  // Docker follows no link on the way.
  const mounts = ["-v", `${fs.realpathSync(made)}:/made${verb === "run" ? ":ro" : ""}`, "-v", `${path.join(paths.root, recipeFolder)}:/kernel:ro`];
  const options = ["--label", `${kernelLabel}=own`, "--cap-add", "NET_ADMIN", "--device", "/dev/net/tun", "-v", "/var/lib/machine", ...mounts];
  return { options, command: [runnerImage, "sh", "/kernel/machine.sh", verb, "/made", String(memory)] };
}

/** Without them the tests on a real kernel say what they lack. */
async function kernel() {
  const progress = new Progress("virtual machines");
  try {
    await make(progress);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    progress.warn(`${error.message}\n    the tests that need them say so`);
    return;
  }
  progress.done();
}

/** @param {Progress} progress */
async function make(progress) {
  if (process.arch !== "x64") throw new SetupError("the virtual machines have the kernel of amd64", "run these tests on such a machine");
  if (!isRoot) throw new SetupError("the virtual machines are spoken with as root", "run setup and tests as root");
  const made = folder();
  await makeRunner(progress);
  if (fs.existsSync(path.join(made, "state"))) return;
  for (const older of fs.existsSync(base) ? fs.readdirSync(base) : []) fs.rmSync(path.join(base, older), { recursive: true });
  const unfinished = `${made}.unfinished`;
  fs.mkdirSync(unfinished, { recursive: true });
  try {
    await makeDisk(progress, unfinished);
    await boot(progress, unfinished);
    fs.renameSync(unfinished, made);
  } finally {
    fs.rmSync(unfinished, { recursive: true, force: true });
  }
}

/** The container image with QEMU. @param {Progress} progress */
async function makeRunner(progress) {
  const recipe = fingerprint([], runnerPackages);
  const { stdout } = await ask("docker", ["image", "inspect", "--format", `{{index .Config.Labels "${recipeLabel}"}}`, runnerImage]);
  if (stdout === recipe) return;
  // A state goes with the QEMU that wrote it.
  fs.rmSync(base, { recursive: true, force: true });
  progress.working("installing QEMU into an image, half a minute");
  const script = 'set -eu; apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"';
  await inContainer("pulumi-swarm-qemu-in-the-making", ["sh", "-c", script, "sh", ...runnerPackages], async (container) => {
    await run("docker-commit", "docker", ["commit", "--change", `LABEL ${recipeLabel}=${recipe}`, container, runnerImage]);
  });
}

/** @param {Progress} progress @param {string} made */
async function makeDisk(progress, made) {
  progress.working("installing a kernel, half a minute");
  await inContainer("pulumi-swarm-kernel-in-the-making", ["sh", "/kernel/guest.sh", ...guestPackages], async (container) => {
    progress.working("making a disk of it");
    const options = [
      "run",
      "--rm",
      "-i",
      "--network",
      "none",
      "-v",
      `${fs.realpathSync(made)}:/made`,
      "-v",
      `${path.join(paths.root, recipeFolder)}:/kernel:ro`,
    ];
    const pipe = 'set -o pipefail; container=$1; shift; docker export "$container" | docker "$@"';
    await run("kernel-disk", "bash", ["-c", pipe, "bash", container, ...options, runnerImage, "sh", "/kernel/disk.sh", "/made"]);
  });
}

/**
 * A container of the host image in which a command ran.
 * @param {string} name
 * @param {readonly string[]} command
 * @param {(container: string) => Promise<void>} work
 */
async function inContainer(name, command, work) {
  const image = await ensureHostImage("trixie");
  const cache = path.join(paths.aptCache, "trixie");
  fs.mkdirSync(cache, { recursive: true });
  await ask("docker", ["rm", "-f", name]);
  try {
    const mounts = ["-v", `${path.join(paths.root, recipeFolder)}:/kernel:ro`, "-v", `${fs.realpathSync(cache)}:/var/cache/apt/archives`];
    await run(name, "docker", ["run", "--name", name, ...mounts, image, ...command], {
      fix: "QEMU and the kernel come from Debian's mirror, which containers must reach",
    });
    await work(name);
  } finally {
    await ask("docker", ["rm", "-f", "-v", name], { timeout: 60_000 });
  }
}

/** Boots a machine once, and keeps it as it is then: each of the lab goes on from there. @param {Progress} progress @param {string} made */
async function boot(progress, made) {
  const name = "pulumi-swarm-machine-in-the-making";
  progress.working("booting a machine once, a minute or two");
  await ask("docker", ["rm", "-f", "-v", name]);
  const { options, command } = containerOptions("make", made);
  await run(name, "docker", ["run", "-d", "--name", name, "--network", "none", ...options, ...command]);
  try {
    await booted(name);
    const image = await exec(
      name,
      [
        "sh",
        "-c",
        "base64 -d >/tmp/busybox.tar && docker import /tmp/busybox.tar pulumi-swarm-busybox:1 && rm /tmp/busybox.tar && sync && echo 3 >/proc/sys/vm/drop_caches",
      ],
      {
        stdin: fs.readFileSync(paths.busybox).toString("base64"),
      },
    );
    if (image.code !== 0) throw new SetupError("the virtual machine's Docker takes no image", image.stderr);
    await monitor(name, "stop");
    await monitor(name, "migrate-set-parameters", { "max-bandwidth": 4 * 2 ** 30 });
    await monitor(name, "migrate", { uri: "file:/made/state" });
    await written(name);
    await monitor(name, "quit").catch(() => {});
  } finally {
    await ask("docker", ["rm", "-f", "-v", name], { timeout: 60_000 });
  }
}

/** @param {string} name */
async function booted(name) {
  const until = Date.now() + 600_000;
  for (;;) {
    const seen = await exec(name, ["systemctl", "is-system-running"]).then(
      ({ stdout, stderr }) => stdout.trim() || stderr,
      (/** @type {Error} */ error) => error.message,
    );
    if (seen === "running") return;
    const running = (await ask("docker", ["inspect", "--format", "{{.State.Running}}", name])).stdout === "true";
    if (!running || seen === "degraded" || Date.now() > until) {
      const { stdout, stderr } = await ask("docker", ["logs", "--tail", "12", name]);
      throw new SetupError(`the virtual machine does not boot (${seen})`, `its console ends with:\n${stdout}${stderr}`);
    }
    await pause(2_000);
  }
}

/** @param {string} name */
async function written(name) {
  for (;;) {
    const { status, ["error-desc"]: problem = "" } = await monitor(name, "query-migrate");
    if (status === "completed") return;
    if (status === "failed" || status === "cancelled") throw new SetupError("the virtual machine's state cannot be kept", problem);
    await pause(200);
  }
}

module.exports = { containerOptions, folder, kernel, kernelLabel };
