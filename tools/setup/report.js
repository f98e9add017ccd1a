// @ts-check
"use strict";

let quiet = false;

/** With `quiet`, what was found ready is not told. @param {boolean} value */
function setQuiet(value) {
  quiet = value;
}

/** Something is missing that setup cannot get: told in one line, without a stack. */
class SetupError extends Error {
  /**
   * @param {string} what what is missing or wrong
   * @param {string} fix what the reader can do
   */
  constructor(what, fix) {
    super(`${what}: ${fix}`);
    this.name = "SetupError";
  }
}

/** The progress of one thing that setup takes care of. */
class Progress {
  #begun = Date.now();
  #told = false;

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** Something that takes time begins. @param {string} text */
  working(text) {
    this.#told = true;
    process.stdout.write(`${this.name}: ${text} …\n`);
  }

  /** @param {string} text */
  warn(text) {
    process.stdout.write(`${this.name}: note: ${text}\n`);
  }

  /** @param {string} [text] */
  done(text) {
    if (quiet && !this.#told) return;
    const seconds = ((Date.now() - this.#begun) / 1000).toFixed(1);
    process.stdout.write(`${this.name}: ok ${seconds} s${text ? `, ${text}` : ""}\n`);
  }
}

module.exports = { Progress, SetupError, setQuiet };
