// @ts-check
"use strict";
const { createServer } = require("node:net");
const { setTimeout: pause } = require("node:timers/promises");
const { fingerprint } = require("./fingerprint");
const { paths } = require("./env");
const { Progress } = require("./report");

/**
 * One setup of a checkout at a time: two would install over each other. The lock is a name that the kernel frees when the
 * process ends, however it ends.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function alone(work) {
  if (process.platform !== "linux") return work();
  const name = `\0pulumi-swarm-setup-${fingerprint([], [paths.root])}`;
  let told = false;
  for (;;) {
    const server = await listen(name);
    if (server !== undefined) return work().finally(() => server.close());
    if (!told) new Progress("setup").working("waiting for another setup of this checkout");
    told = true;
    await pause(200);
  }
}

/**
 * @param {string} name
 * @returns {Promise<import("node:net").Server | undefined>} nothing if the name is taken
 */
function listen(name) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (/** @type {NodeJS.ErrnoException} */ error) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}

module.exports = { alone };
