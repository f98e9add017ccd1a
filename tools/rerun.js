// @ts-check
// Runs files of tests side by side, and those that failed once more by themselves.
"use strict";

/**
 * @typedef {object} Run
 * @property {boolean} ok
 * @property {string} printed
 */

/**
 * @typedef {object} Result
 * @property {boolean} ok whether each file passed, the first or the second time
 * @property {{ what: string, printed: string }[]} failures all that failed, also where a second run passed
 * @property {string[]} passedAlone files that failed beside others and then passed by themselves
 */

/**
 * @param {readonly string[]} files in the order in which they begin
 * @param {(file: string) => Promise<Run>} run
 * @param {{ lanes: number, again: (file: string) => boolean }} how how many files run at once, and whether a failure gets a second run
 * @returns {Promise<Result>}
 */
async function runFiles(files, run, { lanes, again }) {
  /** @type {Result} */
  const result = { ok: true, failures: [], passedAlone: [] };
  const waiting = [...files];
  /** @type {string[]} */
  const failed = [];
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { ok, printed } = await run(file);
      if (ok) continue;
      failed.push(file);
      result.failures.push({ what: file, printed });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  for (const file of failed) {
    if (!again(file)) {
      result.ok = false;
      continue;
    }
    const { ok, printed } = await run(file);
    if (ok) result.passedAlone.push(file);
    else result.failures.push({ what: `${file}, once more by itself`, printed });
    result.ok &&= ok;
  }
  return result;
}

module.exports = { runFiles };
