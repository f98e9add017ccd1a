// @ts-check
// Runs the rings of tests and says how long each took: node tools/test.js [ring …]
"use strict";
const { spawn } = require("node:child_process");
const { existsSync, readdirSync } = require("node:fs");
const path = require("node:path");
const { runFiles } = require("./rerun.js");
const { labEnv } = require("./setup/env.js");

const root = path.resolve(__dirname, "..");
/** Hosts that are virtual machines. Emulation takes both processors, so this ring runs alone, one file after the other. */
const kernel = "kernel";
/** What of it `npm test` has time for, ten minutes: what most users do every day. `npm run test:kernel` runs all of it. */
const everyDay = ["native", "wireguard"];
/** In the order of what is cheapest to fail. */
const rings = ["unit", "graph", "lint", "engine", "package", "lab", kernel];
/** All faults of the matrix, of which the lab's ring plays the quick ones: an hour. */
const faults = "faults";
/**
 * Files for which `npm test` has no time. What is theirs alone is combinations, of whose parts each has a file there, too; and two of the five
 * overlays, which pass the same suite as the three that are played there.
 */
const long = "long";
/** Those of the lab, where no folder is named. */
const longFiles = [
  "package/consumers",
  "hybrid",
  "aws-edits",
  "previews",
  "versions",
  "overlay-sites",
  "peers",
  "trunks",
  "openvswitch",
  "weave",
  "overlays",
  "upgrade",
  "dnf",
  "maintenance",
  "lost-quorum",
];
const extra = [faults, long];

/** Rings whose files have stacks, hosts and networks of their own: they run together, so that no ring waits for the last file of another. */
const sideBySide = ["lint", "engine", "package", "lab", long];

/**
 * Hosts spend some of their time waiting for each other, so two files at once take half the time on two cores; three take as long as
 * two, and each of them longer. The longest first.
 */
const lanes = 2;
const longest = [
  "hetzner",
  "consumers",
  "git",
  "states",
  "overlay-sites",
  "overlays",
  "previews",
  "flannel",
  "openvswitch",
  "weave",
  "calico",
  "overlay-native",
  "hybrid",
  "aws-edits",
  "broken",
  "sites",
  "aws",
  "backup",
  "membership",
  "status",
  "lifecycle",
  "faults",
  "existing",
  "versions",
  "pieces",
  "firewall",
  "services",
  "local-quickstart",
  "quickstart",
  "wireguard",
  "languages",
  "aws-ssm",
  "proxy",
  "engine",
  "programs",
];

/** Of those that need no hosts, what must not come last. */
const heavy = ["random-clusters", "slow-hosts", "bastion", "wireguard-size", "wireguard-tunnel", "firewall-guard"];

/** @param {string} ring @param {boolean} all also what has no time beside the other rings */
function files(ring, all) {
  const longFile = (/** @type {string} */ name) => path.join("test", name.includes("/") ? "" : "lab", `${name}.test.ts`);
  if (ring === faults) return [longFile("faults")];
  if (ring === long) return longFiles.map(longFile);
  const folder = path.join(root, "test", ring);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) => ring !== kernel || all || everyDay.includes(path.basename(file, ".test.ts")))
    .map((file) => path.join("test", ring, file))
    .filter((file) => !longFiles.map(longFile).includes(file));
}

/**
 * Thousands of lines may follow a failure, so it is told once more at the end.
 * @type {{ what: string, text: string }[]}
 */
const failures = [];

/**
 * Files that failed beside others and passed by themselves. The run counts as green; somebody still has to find out why.
 * @type {string[]}
 */
const passedAlone = [];

/**
 * @param {string} what
 * @param {string} printed
 */
function remember(what, printed) {
  const list = printed.search(/^(?:\u001b\[\d+m)* *\d+ failing/m);
  failures.push({ what, text: list < 0 ? printed.trimEnd().split("\n").slice(-30).join("\n") : printed.slice(list).trimEnd() });
}

/**
 * @param {readonly string[]} specs
 * @param {boolean} quiet keep what it prints until it ends
 * @returns {Promise<{ ok: boolean, printed: string }>}
 */
function mocha(specs, quiet) {
  return new Promise((resolve) => {
    const color = process.stdout.isTTY ? "--color" : "--no-color";
    const child = spawn(process.execPath, [path.join("node_modules", "mocha", "bin", "mocha.js"), color, "--require", "ts-node/register", ...specs], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: labEnv(),
    });
    let printed = "";
    const streams = /** @type {const} */ ([
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]);
    for (const [from, to] of streams) {
      from.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
        printed += text;
        if (!quiet) to.write(text);
      });
    }
    child.on("close", (code) => resolve({ ok: code === 0, printed }));
  });
}

/** @param {number} start */
const since = (start) => `${((Date.now() - start) / 1000).toFixed(1).padStart(6)} s`;

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);

/** @param {string} file */
async function fileByItself(file) {
  const start = Date.now();
  say(`${file} …`);
  const result = await mocha([file], true);
  say(`${result.printed.trimEnd()}\n${file}: ${result.ok ? "passed" : "FAILED"} ${since(start)}\n`);
  return result;
}

/**
 * Where a file stands in a list; what is not in it comes after all that is.
 *
 * @param {readonly string[]} list
 * @param {string} file
 */
function rank(list, file) {
  const place = list.indexOf(path.basename(file, ".test.ts"));
  return place < 0 ? list.length : place;
}

/** @param {readonly string[]} specs @param {number} side how many at once */
async function inLanes(specs, side) {
  const place = (/** @type {string} */ file) => longest.indexOf(path.basename(file, ".test.ts"));
  const sorted = [...specs].sort((a, b) => place(a) - place(b));
  // Only hosts can be in each other's way on a machine that is too small for them.
  const again = (/** @type {string} */ file) => ["lab", kernel].some((ring) => file.startsWith(path.join("test", ring)));
  const result = await runFiles(sorted, fileByItself, { lanes: side, again });
  for (const { what, printed } of result.failures) remember(what, printed);
  passedAlone.push(...result.passedAlone);
  return result.ok;
}

/**
 * Files that need no hosts, on both processors; or the one of all faults.
 *
 * @param {string} ring
 * @param {readonly string[]} specs
 */
async function atOnce(ring, specs) {
  const sorted = [...specs].sort((a, b) => rank(heavy, a) - rank(heavy, b));
  // What a file prints is held back until it ends then: of one alone, such as the faults, it is to be seen meanwhile.
  // Some files mostly wait, so that three at once keep two processors busy.
  const onBoth = sorted.length > 1 ? ["--parallel", "--jobs", "3"] : [];
  const { ok, printed } = await mocha([...onBoth, ...sorted], false);
  if (!ok) remember(ring, printed);
  return ok;
}

async function main() {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((ring) => !extra.includes(ring) && !rings.includes(ring));
  if (unknown.length > 0) {
    process.stderr.write(`there is no ring ${unknown.join(", ")}; there are ${[...rings, ...extra].join(", ")}\n`);
    process.exit(2);
  }
  /** @type {string[]} */
  const summary = [];
  let failed = 0;
  const wanted = asked.length > 0 ? asked : rings;
  const groups = [...wanted.filter((ring) => !sideBySide.includes(ring)).map((ring) => [ring]), wanted.filter((ring) => sideBySide.includes(ring))];
  for (const group of groups) {
    const specs = group.flatMap((ring) => files(ring, asked.length > 0));
    if (specs.length === 0) continue;
    const [first = ""] = group;
    const name = group.join(", ");
    say(`\n── ${name} ──`);
    if (first === faults) process.env["FAULTS"] = "all";
    const start = Date.now();
    const ok = sideBySide.includes(first) ? await inLanes(specs, lanes) : first === kernel ? await inLanes(specs, 1) : await atOnce(first, specs);
    if (!ok) failed += 1;
    summary.push(`${name.padEnd(8)} ${ok ? "passed" : "FAILED"} ${since(start)}`);
  }
  const notes = passedAlone.map((file) => `${file} failed beside others and passed by itself: find out why (its failure is above)`);
  // Who sees no more than the end, as of a log that is cut, sees why the run is red.
  const last = [...failures].sort((a, b) => Number(passedAlone.includes(b.what)) - Number(passedAlone.includes(a.what)));
  say(`\n${[...last.map(({ what, text }) => `${what}:\n${text}`), [...summary, ...notes].join("\n")].join("\n\n")}`);
  process.exit(failed === 0 ? 0 : 1);
}

void main();
