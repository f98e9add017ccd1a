// @ts-check
// Images of what the overlays run on hosts, in the lab's registry, by the names that the projects' own have elsewhere. They
// hold the programs and nothing else, which is all that the product takes out of an image.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { needCompiler } = require("./compiler");
const { labEnv, paths } = require("./env");
const { fingerprint } = require("./fingerprint");
const { ensureHostImage } = require("./host-image");
const { patchedModule } = require("./patched-module");
const { find, run } = require("./programs");
const { publish, recipeOf, registry } = require("./registry");
const { Progress, SetupError } = require("./report");

/**
 * The versions that the product takes where the user says nothing (components/overlays), and an older one of each for tests of upgrades.
 * The older etcd is Debian's, whose version is checked against the one here, as a mirror may have moved on.
 */
const etcdVersion = "v3.5.35";
const olderEtcd = "v3.5.16";
/** Of components/gateways, and Debian's. */
const haproxyVersion = "3.0.11";
const flannels = { "tools/go/flannel": "v0.28.10", "tools/go/flannel-older": "v0.26.7" };

// One file without libraries, as flannel's own is: it runs on any release of the hosts.
const goFlags = ["-mod=readonly", "-trimpath", "-tags", "netgo,osusergo"];
const linkerFlags = '-s -w -linkmode external -extldflags "-static"';

/** Without them the demonstration works and the tests of weave, flannel and gateways do not, which say so themselves. */
async function overlays() {
  const progress = new Progress("overlay programs");
  // One after the other: each compiler uses all processors.
  const works = [
    etcd,
    etcdOfDebian,
    ...Object.entries(flannels).map(
      ([module, version]) =>
        () =>
          flannel(module, version),
    ),
    weave,
    haproxy,
  ];
  if (await tried(progress, registry)) for (const make of works) await tried(progress, make);
  progress.done();
}

/**
 * @template Result
 * @param {Progress} progress
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result | undefined>} nothing if it cannot be done here, which is said
 */
async function tried(progress, work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    progress.warn(`${error.message}\n    the tests that need it say so`);
    return undefined;
  }
}

/** @param {string} module @param {string} version */
async function flannel(module, version) {
  await image("flannel-io/flannel", version, fingerprint([module], [...goFlags, linkerFlags, version]), async (progress, folder) => {
    // Its backend for UDP is written in C.
    await needCompiler(progress, "flannel");
    progress.working("building from Go modules, a minute or two the first time");
    const name = "github.com/flannel-io/flannel";
    const file = path.join(folder, "flanneld");
    const stamp = `-X ${name}/pkg/version.Version=${version}`;
    const patched = fs.existsSync(path.join(paths.root, module, "patches"));
    await run(`go-build-flannel-${version}`, "go", ["build", ...goFlags, "-ldflags", `${linkerFlags} ${stamp}`, "-o", file, name], {
      cwd: patched ? await patchedModule(module, name, version) : path.join(paths.root, module),
      env: { ...labEnv(), CGO_ENABLED: "1" },
    });
    return { "/opt/bin/flanneld": file };
  });
}

async function etcd() {
  const module = "tools/go/etcd";
  const flags = ["-ldflags", "-s -w"];
  await image("etcd-development/etcd", etcdVersion, fingerprint([module], [...goFlags, ...flags, etcdVersion]), async (progress, folder) => {
    if (find("go") === undefined) throw new SetupError("there is no Go", "install it: etcd is built with it here");
    progress.working("building from Go modules, about a minute the first time");
    const packages = { etcd: "go.etcd.io/etcd/server/v3", etcdctl: "go.etcd.io/etcd/etcdctl/v3" };
    for (const [program, name] of Object.entries(packages)) {
      await run(`go-build-${program}`, "go", ["build", ...goFlags, ...flags, "-o", path.join(folder, program), name], {
        cwd: path.join(paths.root, module),
        env: { ...labEnv(), CGO_ENABLED: "0" },
      });
    }
    return Object.fromEntries(Object.keys(packages).map((program) => [`/usr/local/bin/${program}`, path.join(folder, program)]));
  });
}

/** Out of the distribution's packages, which are fetched and unpacked in a container, and installed nowhere. */
async function etcdOfDebian() {
  const programs = ["etcd", "etcdctl"];
  const script = [
    "set -eu; apt-get update -qq; cd /tmp",
    "apt-get download -qq etcd-server etcd-client",
    "dpkg-deb -f etcd-server_*.deb Version >/out/version",
    'for package in etcd-*.deb; do dpkg-deb -x "$package" root; done',
    `cd root/usr/bin; cp ${programs.join(" ")} /out/`,
  ].join("\n");
  await image("etcd-development/etcd", olderEtcd, fingerprint([], [script, olderEtcd]), async (progress, folder) => {
    progress.working("taking it out of Debian's packages");
    const host = await ensureHostImage("trixie");
    await run("etcd", "docker", ["run", "--rm", "-v", `${folder}:/out`, host, "sh", "-c", script], { fix: "needs a Debian mirror" });
    const found = fs.readFileSync(path.join(folder, "version"), "utf8").trim();
    if (!found.startsWith(`${olderEtcd.slice(1)}-`)) {
      throw new SetupError(
        `Debian has etcd ${found} now, and the tests upgrade from ${olderEtcd}`,
        "change the version in tools/setup/overlays.js and in test/lab, and look whether the tests still pass",
      );
    }
    return Object.fromEntries(programs.map((program) => [`/usr/local/bin/${program}`, path.join(folder, program)]));
  });
}

/** Debian's, with the libraries that it needs, where the official image has the program. It runs as a service, so that the image must be whole. */
async function haproxy() {
  const script = [
    "set -eu; apt-get update -qq; apt-get install -qq --no-install-recommends haproxy >/dev/null",
    "dpkg-query -W -f '${Version}' haproxy >/out/version",
    "mkdir -p /out/root/usr/local/sbin; cp /usr/sbin/haproxy /out/root/usr/local/sbin/",
    "ldd /usr/sbin/haproxy | grep -o '/[^ ]*' | sort -u | while read -r library; do",
    '  mkdir -p "/out/root${library%/*}"; cp -L "$library" "/out/root$library"',
    "done",
  ].join("\n");
  await image("library/haproxy", haproxyVersion, fingerprint([], [script, haproxyVersion]), async (progress, folder) => {
    progress.working("taking it out of Debian's packages");
    const host = await ensureHostImage("trixie");
    await run("haproxy", "docker", ["run", "--rm", "-v", `${folder}:/out`, host, "sh", "-c", script], { fix: "needs a Debian mirror" });
    const found = fs.readFileSync(path.join(folder, "version"), "utf8").trim();
    if (!found.startsWith(`${haproxyVersion}-`)) {
      throw new SetupError(
        `Debian has HAProxy ${found} now, and gateways take ${haproxyVersion}`,
        "change the version in tools/setup/overlays.js and in components/gateways, and look whether the tests still pass",
      );
    }
    const root = path.join(folder, "root");
    const files = fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return Object.fromEntries(files.map((entry) => path.join(entry.parentPath, entry.name)).map((file) => [`/${path.relative(root, file)}`, file]));
  });
}

async function weave() {
  const recipe = path.join(paths.root, "tools/go/weave/build.js");
  if (!fs.existsSync(recipe)) return;
  /** @type {{ buildWeave(folder: string): Promise<{ file: string, version: string }> }} */
  const { buildWeave } = require(recipe);
  // It keeps what it has made itself.
  const { file, version } = await buildWeave(path.join(paths.lab, "programs"));
  await image("weaveworks/weave", version, fingerprint(["tools/go/weave"]), async () => ({ "/home/weave/weaver": file }));
}

/**
 * Puts an image into the registry, unless it is there, made by the same recipe.
 * @param {string} name
 * @param {string} tag
 * @param {string} recipe
 * @param {(progress: Progress, folder: string) => Promise<Record<string, string>>} make puts files into the folder; returns paths
 *   in the image to files of this machine
 */
async function image(name, tag, recipe, make) {
  const progress = new Progress(`${name}:${tag}`);
  if ((await recipeOf(name, tag)) === recipe) return;
  const folder = path.join(paths.lab, "programs", `${path.basename(name)}-${tag}`);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  try {
    await publish(`${name}:${tag}`, await make(progress, folder), recipe);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  progress.done();
}

module.exports = { overlays };
