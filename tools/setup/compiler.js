// @ts-check
// What programs are built with that are partly written in C.
"use strict";
const apt = require("./apt");
const { find } = require("./programs");
const { SetupError } = require("./report");

/**
 * @param {import("./report").Progress} progress
 * @param {string} program what is to be built
 */
async function needCompiler(progress, program) {
  if (find("go") === undefined) throw new SetupError("there is no Go", `install it: ${program} is built with it here`);
  if (find("gcc") !== undefined) return;
  if (!apt.canInstall()) throw new SetupError(`there is no gcc to build ${program} with`, "install it, with the headers of the C library");
  progress.working("installing gcc");
  await apt.install(["gcc", "libc6-dev"]);
}

module.exports = { needCompiler };
