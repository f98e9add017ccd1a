// @ts-check
"use strict";
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { paths } = require("./env");

/**
 * One hash over files and folders of the checkout: names, contents and whether they are executable.
 * Times do not count: a checkout gives all files new ones.
 * @param {readonly string[]} entries relative to the checkout
 * @param {readonly string[]} [more] other things that the result depends on
 */
function fingerprint(entries, more = []) {
  const hash = createHash("sha256");
  for (const file of entries.flatMap(filesBelow)) {
    const absolute = path.join(paths.root, file);
    const executable = (fs.statSync(absolute).mode & 0o100) !== 0;
    hash.update(`${file}\0${executable}\0`).update(fs.readFileSync(absolute)).update("\0");
  }
  for (const text of more) hash.update(`${text}\0`);
  return hash.digest("hex").slice(0, 16);
}

/**
 * @param {string} entry
 * @returns {string[]} all files of a folder, in the order of their names; the file itself, if it is one
 */
function filesBelow(entry) {
  const absolute = path.join(paths.root, entry);
  const stat = fs.statSync(absolute, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [entry];
  return fs
    .readdirSync(absolute)
    .sort()
    .flatMap((name) => filesBelow(path.join(entry, name)));
}

/** A stamp says of what state of the sources something was made. @param {string} name */
function readStamp(name) {
  const file = path.join(paths.lab, "stamps", name);
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
}

/**
 * @param {string} name
 * @param {string} value
 */
function writeStamp(name, value) {
  const file = path.join(paths.lab, "stamps", name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, value);
}

module.exports = { fingerprint, readStamp, writeStamp };
