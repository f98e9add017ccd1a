// @ts-check
// What stands for Docker Hub's image debian:trixie-slim where no image registry is reached.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { haveMmdebstrap } = require("./host-image");
const { paths } = require("./env");
const { run } = require("./programs");
const { Progress, SetupError } = require("./report");

const suite = "trixie";

/** Makes the tar, which `docker import` takes, unless it is there. Needs no image registry, only a Debian mirror. */
async function debian() {
  const progress = new Progress(`Debian ${suite}`);
  if (!fs.existsSync(paths.debian)) {
    if (!(await haveMmdebstrap(progress))) throw new SetupError("there is no mmdebstrap", "install it by hand, then run this again");
    progress.working("making it with mmdebstrap, about 30 seconds");
    // mmdebstrap tells by the end of the name that it is to write a tar.
    const unfinished = path.join(paths.lab, `unfinished-${path.basename(paths.debian)}`);
    const args = ["--quiet", "--variant=minbase", "--skip=output/mknod", suite, unfinished];
    await run(`mmdebstrap-debian-${suite}`, "mmdebstrap", args, { fix: "needs a Debian mirror, and 500 MB in the folder for temporary files" });
    fs.renameSync(unfinished, paths.debian);
  }
  progress.done();
}

module.exports = { debian };
