// @ts-check
// What setup changed outside `.lab`, so that it can be told and undone.
"use strict";
const fs = require("node:fs");
const { paths } = require("./env");

/**
 * @typedef {object} Journal
 * @property {string[]} [packages] Debian packages that were installed
 * @property {string[]} [inotify] `fs.inotify.max_user_instances` as it was found
 * @property {string[]} [routes] arguments of `ip route add`
 */

/** @returns {Journal} */
function readJournal() {
  if (!fs.existsSync(paths.journal)) return {};
  return JSON.parse(fs.readFileSync(paths.journal, "utf8"));
}

/**
 * @param {keyof Journal} kind
 * @param {readonly string[]} entries
 */
function note(kind, entries) {
  const journal = readJournal();
  journal[kind] = [...new Set([...(journal[kind] ?? []), ...entries])];
  fs.mkdirSync(paths.lab, { recursive: true });
  fs.writeFileSync(paths.journal, `${JSON.stringify(journal, undefined, 2)}\n`);
}

module.exports = { note, readJournal };
