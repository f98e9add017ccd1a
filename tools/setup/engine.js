// @ts-check
// The newest Docker engine, which no release of Debian has: built from Go modules, for the lab's hosts that are to run it.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { needCompiler } = require("./compiler");
const { labEnv, paths } = require("./env");
const { fingerprint } = require("./fingerprint");
const { run } = require("./programs");

/** What it calls itself. The module is numbered otherwise (v2.0.0-beta.24), and without this it would be "library-import". */
const engineVersion = "29.9.3";

const source = "tools/go/engine";
/**
 * @typedef {object} Program
 * @property {string} name
 * @property {readonly string[]} flags
 * @property {"0" | "1"} cgo
 * @property {string} place where Debian's packages have it
 */
/** @type {readonly Program[]} */
const programs = [
  {
    name: "github.com/moby/moby/v2/cmd/dockerd",
    flags: ["-tags", "exclude_graphdriver_btrfs", "-ldflags", `-s -w -X github.com/moby/moby/v2/dockerversion.Version=${engineVersion}`],
    cgo: "1",
    place: "/usr/sbin/dockerd",
  },
  {
    name: "github.com/moby/moby/v2/cmd/docker-proxy",
    flags: ["-ldflags", "-s -w"],
    cgo: "0",
    place: "/usr/sbin/docker-proxy",
  },
  {
    name: "github.com/containerd/containerd/v2/cmd/containerd",
    flags: ["-tags", "no_btrfs", "-ldflags", "-s -w"],
    cgo: "0",
    place: "/usr/bin/containerd",
  },
  {
    name: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    flags: ["-ldflags", "-s -w"],
    cgo: "0",
    place: "/usr/bin/containerd-shim-runc-v2",
  },
];

const engineRecipe = () => fingerprint([source], [JSON.stringify(programs)]);

/**
 * @param {import("./report").Progress} progress
 * @returns {Promise<Record<string, string>>} files of this machine by their places on a host
 */
async function buildEngine(progress) {
  await needCompiler(progress, "Docker 29");
  const folder = path.join(paths.lab, "programs", `engine-${engineVersion}`);
  fs.mkdirSync(folder, { recursive: true });
  /** @type {Record<string, string>} */
  const files = {};
  for (const { name, flags, cgo, place } of programs) {
    const program = path.basename(name);
    progress.working(`building ${program} from Go modules, a quarter of an hour for all the first time`);
    const file = path.join(folder, program);
    await run(`go-build-${program}`, "go", ["build", "-mod=readonly", "-trimpath", ...flags, "-o", file, name], {
      cwd: path.join(paths.root, source),
      env: { ...labEnv(), CGO_ENABLED: cgo },
    });
    files[place] = file;
  }
  return files;
}

module.exports = { buildEngine, engineRecipe };
