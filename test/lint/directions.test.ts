import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

const components = join(__dirname, "..", "..", "components");

/**
 * Folders and files of `components`, from what knows nothing to what knows all. Each imports only from rows before its own, and a folder from
 * itself. Arguments become a plan, the plan machines, and machines a swarm; readers of all that come after, and never start anything.
 */
const order = [
  // What everything uses.
  [
    "health.ts",
    "marks.ts",
    "nearest.ts",
    "report.ts",
    "options.ts",
    "secret.ts",
    "since.ts",
    "slug.ts",
    "stop.ts",
    "transform.ts",
    "waiting.ts",
    "trace",
  ],
  // A host as something that is reached, and what a plan is made of.
  ["remote"],
  ["addresses", "names", "node"],
  ["firewall", "programs"],
  ["hosts", "network-policy"],
  // What runs on hosts.
  ["engine", "maintenance", "underlay", "gossip", "memory", "owner", "login", "docker-provider"],
  ["overlays"],
  ["membership"],
  ["walk"],
  ["networks"],
  ["gateways"],
  ["agents"],
  // The shape of a cluster, for readers.
  ["topology"],
  ["picture"],
  ["review"],
  ["policy"],
  ["status"],
  // What a program uses.
  ["backup"],
  ["cluster"],
  ["pieces"],
  ["cli", "index.ts"],
];

const rank = new Map(order.flatMap((row, index) => row.map((name) => [name, index] as const)));

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : path.endsWith(".ts") ? [path] : [];
  });
}

/** The folder of `components` that a path is in, or the file that is in none. */
function partOf(path: string): string {
  return relative(components, path).split(sep)[0] ?? "";
}

function importsOf(path: string): string[] {
  return [...readFileSync(path, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, target = ""]) => {
    const to = join(dirname(path), target);
    return partOf(statSync(`${to}.ts`, { throwIfNoEntry: false }) ? `${to}.ts` : to);
  });
}

describe("imports between folders", () => {
  const parts = sources(components).map((path) => ({ path: relative(components, path), part: partOf(path), imports: importsOf(path) }));

  it("have a place for each folder", () => {
    const unknown = [...new Set(parts.flatMap(({ part, imports }) => [part, ...imports]))].filter((part) => !rank.has(part));
    assert.deepEqual(unknown, []);
    assert.deepEqual(
      [...rank.keys()].filter((name) => !parts.some(({ part }) => part === name)),
      [],
      "no longer there",
    );
  });

  it("run one way", () => {
    const against = parts.flatMap(({ path, part, imports }) =>
      [...new Set(imports)].filter((to) => to !== part && (rank.get(to) ?? 0) > (rank.get(part) ?? 0)).map((to) => `${path} imports ${to}`),
    );
    assert.deepEqual(against, []);
  });

  it("never make a circle of folders in one row", () => {
    const beside = parts.flatMap(({ path, part, imports }) =>
      [...new Set(imports)].filter((to) => to !== part && rank.get(to) === rank.get(part)).map((to) => ({ path, part, to })),
    );
    const circles = beside.filter(({ part, to }) => beside.some((other) => other.part === to && other.to === part));
    assert.deepEqual(
      circles.map(({ path, to }) => `${path} imports ${to}`),
      [],
    );
  });
});
