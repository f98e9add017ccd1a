// @ts-check
// The image of which local hosts are made: a whole Debian machine with systemd, sshd and, but for the bare one, Docker.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const apt = require("./apt");
const { buildEngine, engineRecipe } = require("./engine");
const { paths } = require("./env");
const { fingerprint } = require("./fingerprint");
const { ask, find, run } = require("./programs");
const { Progress } = require("./report");

const repository = "pulumi-swarm-host";
const recipeLabel = "pulumi-swarm.recipe";
const recipeFolder = "tools/image";

/** Of the published package too, which makes the image itself: components/hosts/local/image.ts. */
const { machine, tools, docker } = require("../host-packages.json");

/** `engine`: on top of it lies the newest Docker, which no release of Debian has. @type {Readonly<Record<string, { suite: string, packages: readonly string[], engine?: true }>>} */
const variants = {
  trixie: { suite: "trixie", packages: [...machine, ...tools, ...docker] },
  forky: { suite: "forky", packages: [...machine, ...tools, ...docker] },
  "forky-29": { suite: "forky", packages: [...machine, ...tools, ...docker], engine: true },
  // There the client is part of docker.io.
  bookworm: { suite: "bookworm", packages: [...machine, ...tools, "docker.io"] },
  // As a cloud gives it: Docker is still to be installed.
  "trixie-bare": { suite: "trixie", packages: machine },
  // The same, with what makes a machine of a cloud's user data.
  "trixie-cloud": { suite: "trixie", packages: [...machine, "sudo", "iputils-ping", "nftables", "cloud-init"] },
};

/**
 * Makes the image unless it is there, made by the same recipe.
 * @param {string} variant a key of {@link variants}
 * @returns {Promise<string>} the image's name
 */
async function ensureHostImage(variant) {
  const progress = new Progress(`host image ${variant}`);
  const description = variants[variant];
  if (description === undefined) throw new RangeError(`there is no host image ${variant}; there are ${Object.keys(variants).join(", ")}`);
  const { suite, packages, engine = false } = description;
  const image = `${repository}:${variant}`;
  const recipe = fingerprint([recipeFolder], [suite, ...packages, ...(engine ? [engineRecipe()] : [])]);
  const { stdout } = await ask("docker", ["image", "inspect", "--format", `{{index .Config.Labels "${recipeLabel}"}}`, image]);
  if (stdout !== recipe) {
    if (engine) await layEngine({ progress, image, over: await ensureHostImage(suite), recipe });
    else if (await haveMmdebstrap(progress)) await bootstrap({ progress, image, suite, packages, recipe });
    else await dockerBuild({ progress, image, suite, packages, recipe });
  }
  progress.done();
  return image;
}

/** @param {{ progress: Progress, image: string, over: string, recipe: string }} asked */
async function layEngine({ progress, image, over, recipe }) {
  const files = await buildEngine(progress);
  const container = `${image.replace(":", "-")}-in-the-making`;
  await ask("docker", ["rm", "-f", container]);
  try {
    await run("docker-create", "docker", ["create", "--name", container, over]);
    for (const [place, file] of Object.entries(files)) await run("docker-cp", "docker", ["cp", file, `${container}:${place}`]);
    await run("docker-commit", "docker", ["commit", "--change", `LABEL ${recipeLabel}=${recipe}`, container, image]);
  } finally {
    await ask("docker", ["rm", "-f", container]);
  }
}

/** @param {Progress} progress */
async function haveMmdebstrap(progress) {
  if (find("mmdebstrap") !== undefined) return true;
  if (!apt.canInstall()) return false;
  progress.working("installing mmdebstrap");
  await apt.install(["mmdebstrap", "debian-archive-keyring"]);
  return find("mmdebstrap") !== undefined;
}

/**
 * @typedef {object} Recipe
 * @property {Progress} progress
 * @property {string} image
 * @property {string} suite
 * @property {readonly string[]} packages
 * @property {string} recipe
 */

/** Needs no image registry, only a Debian mirror. @param {Recipe} recipe */
async function bootstrap({ progress, image, suite, packages, recipe }) {
  progress.working("making it with mmdebstrap, about 40 seconds");
  const cache = path.join(paths.aptCache, suite);
  fs.mkdirSync(cache, { recursive: true });
  const tar = path.join(paths.lab, `${image.replace(":", "-")}.tar`);
  const folder = path.join(paths.root, recipeFolder);
  try {
    await run(
      `mmdebstrap-${image.replace(":", "-")}`,
      "mmdebstrap",
      [
        "--quiet",
        "--variant=minbase",
        `--include=${packages.join(",")}`,
        // On a mirror that lags, the list of a release in the making is past its date; its signature is checked all the same.
        ...(suite === "forky" ? [`--aptopt=Acquire::Check-Valid-Until "false"`] : []),
        // Our configuration files are there when packages bring theirs.
        "--dpkgopt=force-confold",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        // Packages are kept from one time to the next.
        "--skip=essential/unlink",
        `--setup-hook=mkdir -p "$1/var/cache/apt/archives"`,
        `--setup-hook=sync-in '${cache}' /var/cache/apt/archives`,
        `--customize-hook=sync-out /var/cache/apt/archives '${cache}'`,
        `--customize-hook=sync-in '${folder}/rootfs' /`,
        `--customize-hook=copy-in '${folder}/slim.sh' /tmp`,
        `--customize-hook=chroot "$1" sh /tmp/slim.sh && rm "$1/tmp/slim.sh"`,
        suite,
        tar,
      ],
      { fix: "needs a Debian mirror, and 1 GB in the folder for temporary files" },
    );
    const changes = ['CMD ["/usr/local/sbin/boot-machine"]', "ENV container=docker", `LABEL ${recipeLabel}=${recipe}`];
    await run("docker-import", "docker", ["import", ...changes.flatMap((change) => ["--change", change]), tar, image]);
  } finally {
    fs.rmSync(tar, { force: true });
  }
}

/** Where Debian's tools are not at hand, but an image registry is. @param {Recipe} recipe */
async function dockerBuild({ progress, image, suite, packages, recipe }) {
  progress.working("making it with docker build, about a minute");
  /** @type {Record<string, string>} */
  const values = { SUITE: suite, PACKAGES: packages.join(" "), RECIPE: recipe };
  const args = Object.entries(values).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  await run(`docker-build-${image.replace(":", "-")}`, "docker", ["build", "--tag", image, ...args, recipeFolder], {
    fix: `needs the image debian:${suite}-slim from a registry`,
  });
}

/**
 * The tar of a 2 MB image with Debian's static busybox, for containers inside the hosts: they reach no image registry.
 * Taken out of the host image, which has it anyway.
 */
async function busybox() {
  const progress = new Progress("test container image");
  const image = `${repository}:trixie`;
  if (!fs.existsSync(paths.busybox)) {
    progress.working("taking busybox from the host image");
    const script = [
      "set -eu; cd /tmp; mkdir -p root/bin root/etc root/tmp root/root; cp /usr/bin/busybox root/bin/",
      'for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "root/bin/$applet"; done',
      "echo root:x:0:0:root:/root:/bin/sh > root/etc/passwd; echo root:x:0: > root/etc/group",
      "tar -C root -cf /out/busybox.tar.new .",
    ].join("\n");
    await run("busybox", "docker", ["run", "--rm", "--network", "none", "-v", `${paths.lab}:/out`, image, "sh", "-c", script]);
    fs.renameSync(`${paths.busybox}.new`, paths.busybox);
  }
  progress.done();
}

module.exports = { busybox, ensureHostImage, haveMmdebstrap, recipeLabel, variants };
