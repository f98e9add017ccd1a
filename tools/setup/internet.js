// @ts-check
"use strict";
const { ask } = require("./programs");

/** @type {Promise<boolean> | undefined} */
let answer;

/** Whether Pulumi's own downloads can be reached from here: asked at most once, for at most three seconds. */
function pulumiReachable() {
  answer ??= ask("curl", ["-fsSIL", "--max-time", "3", "-o", "/dev/null", "https://get.pulumi.com"], { timeout: 4_000 }).then(({ ok }) => ok);
  return answer;
}

module.exports = { pulumiReachable };
