// @ts-check
// Programs of this machine with which tests look at hosts from outside, and check scripts.
"use strict";
const apt = require("./apt");
const { find } = require("./programs");
const { Progress } = require("./report");

/** Program to Debian package. @type {Readonly<Record<string, string>>} */
const packages = { nmap: "nmap", tcpdump: "tcpdump", iperf3: "iperf3", nft: "nftables", shellcheck: "shellcheck", chromium: "chromium" };

/** Without them the demonstration works and some tests do not, which say so themselves. */
async function tools() {
  const progress = new Progress("test tools");
  const missing = () => Object.keys(packages).filter((program) => find(program) === undefined);
  if (missing().length > 0 && apt.canInstall()) {
    progress.working(`installing ${missing().join(", ")}`);
    await apt.install(missing().flatMap((program) => packages[program] ?? []));
  }
  const left = missing();
  if (left.length > 0) progress.warn(`${left.join(", ")} cannot be installed here; the tests that need them say so`);
  progress.done();
}

module.exports = { tools };
