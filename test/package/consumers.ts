import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CommandResult, root, run } from "../../tools/lab/pulumi";
import { npmQuiet, ours, pack, rackHosts } from "./packed";

/*
 * Programs of strangers: what they install this package with, compile it with and run it on.
 */

/** Of each program a version that is installed once for all runs of the tests, by a name of its own. */
const programs = {
  "typescript-4.9": "npm:typescript@4.9.5",
  "typescript-5.4": "npm:typescript@5.4.5",
  "typescript-5.9": "npm:typescript@5.9.3",
  "typescript-6.0": "npm:typescript@6.0.3",
  "node-20.19": `npm:node-${process.platform}-${process.arch}@20.19.0`,
  "node-22.11": `npm:node-${process.platform}-${process.arch}@22.11.0`,
  "node-22.12": `npm:node-${process.platform}-${process.arch}@22.12.0`,
  "node-24": `npm:node-${process.platform}-${process.arch}@24`,
  "node-latest": `npm:node-${process.platform}-${process.arch}@latest`,
  pnpm: "npm:pnpm@12",
  yarn: "npm:@yarnpkg/cli-dist@4",
  publint: "npm:publint@0.3",
  attw: "npm:@arethetypeswrong/cli@0.18",
} as const;
export type Program = keyof typeof programs;

const folder = join(root, ".lab", "consumers");

/** What a program of one of them is started by, below the folder of its package. */
function fileOf(program: Program): string {
  if (program.startsWith("typescript")) return "bin/tsc";
  if (program.startsWith("node")) return "bin/node";
  return { pnpm: "bin/pnpm.mjs", yarn: "bin/yarn.js", publint: "src/cli.js", attw: "dist/index.js" }[program as "pnpm"] ?? "";
}

/** @returns `undefined` where npm could not get it; `installPrograms` has said so. */
export function programFile(program: Program): string | undefined {
  const file = join(folder, "node_modules", program, fileOf(program));
  return existsSync(file) ? file : undefined;
}

/** As an option of npm's, a program that the registry does not give is no error. What is lacking then is said, and not tested. */
export async function installPrograms(): Promise<void> {
  const wanted = JSON.stringify({ private: true, optionalDependencies: programs }, undefined, 2);
  const manifest = join(folder, "package.json");
  const missing = (): Program[] => (Object.keys(programs) as Program[]).filter((program) => programFile(program) === undefined);
  if (existsSync(manifest) && readFileSync(manifest, "utf8") === wanted && missing().length === 0) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(manifest, wanted);
  const installed = await run("npm", ["install", ...npmQuiet, "--ignore-scripts", "--fetch-retries=0", "--fetch-timeout=60000"], { cwd: folder });
  const lacks = missing();
  if (lacks.length === 0) return;
  const why = installed.stderr.trim().split("\n").at(-1) || "the registry does not have it, or cannot be reached";
  process.stdout.write(`      without ${lacks.join(", ")}, which npm could not install (${why}): what needs them is not tested\n`);
}

/** The same package with another version, as an upgrade brings it. */
export async function repack(tarball: string, version: string, into: string): Promise<string> {
  const unpacked = join(into, `unpacked-${version}`);
  mkdirSync(unpacked, { recursive: true });
  const tar = await run("tar", ["-xzf", tarball, "-C", unpacked]);
  assert.equal(tar.code, 0, tar.stderr);
  const manifest = join(unpacked, "package", "package.json");
  writeFileSync(manifest, JSON.stringify({ ...(JSON.parse(readFileSync(manifest, "utf8")) as object), version }));
  return (await pack(into, join(unpacked, "package"))).tarball;
}

/** A project of a stranger, with the package and what a program needs beside it. */
export function writeProject(project: string, tarball: string, more: Readonly<Record<string, string>> = {}): void {
  const manifest = {
    name: "consumer",
    private: true,
    dependencies: { "pulumi-swarm": `file:${tarball}`, "@pulumi/pulumi": ours("@pulumi/pulumi"), ...more },
    // Of @types/node, the newest one comes otherwise, which TypeScript 4.9 cannot read.
    devDependencies: { "@types/node": ours("@types/node") },
  };
  writeAll(project, { "package.json": JSON.stringify(manifest) });
}

export function writeAll(project: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), text);
  }
}

const managerFiles = {
  npm: {},
  // Scripts of dependencies are not needed; unless told so, pnpm ends with an error that they were not run.
  pnpm: { "pnpm-workspace.yaml": "strictDepBuilds: false\n" },
  yarn: { "yarn.lock": "", ".yarnrc.yml": "nodeLinker: node-modules\nenableTelemetry: false\n" },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;
export type Manager = keyof typeof managerFiles;

/** @returns `undefined` where the package manager itself is lacking. */
export async function install(project: string, manager: Manager): Promise<CommandResult | undefined> {
  writeAll(project, managerFiles[manager]);
  if (manager === "npm") return run("npm", ["install", ...npmQuiet, "--ignore-scripts"], { cwd: project });
  const program = programFile(manager === "pnpm" ? "pnpm" : "yarn");
  if (program === undefined) return undefined;
  const args = manager === "pnpm" ? ["install", "--prefer-offline", "--no-frozen-lockfile"] : ["install", "--no-immutable"];
  // Where CI is set, both would refuse a project without a lock file.
  return run(process.execPath, [program, ...args], { cwd: project, env: { ...process.env, CI: "false" } });
}

const members = `
const swarm = new SwarmCluster("rack", {
  firewall: { ssh: ["198.51.100.0/24"] },
  hosts: {
    rack: ${rackHosts},
  },
});
`;

/** A program whose types are looked at. The error that is expected shows that they are there. */
export const typed = `
import { SwarmCluster } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";
${members}
// @ts-expect-error it is an output of text
export const port: number = swarm.dockerHost;
export const dockerHost = swarm.dockerHost;
`;

/** A program that runs without an engine and prints what would be stored of each command, a line of JSON each. */
export const storing = `
process.env.PULUMI_NODEJS_PROJECT = "consumer";
const pulumi = require("@pulumi/pulumi");
void pulumi.runtime.setMocks({
  newResource: ({ type, name, inputs }) => {
    if (type === "command:local:Command") console.log(JSON.stringify({ name, create: inputs.create, delete: inputs.delete }));
    return { id: name, state: inputs };
  },
  call: () => ({}),
}, "consumer", "stack", true);
const { SwarmCluster } = require("pulumi-swarm");
const existing = require("pulumi-swarm/existing");
${members}
`;

export interface Stored {
  readonly name: string;
  readonly create: string;
  readonly delete?: string;
}

export async function storedBy(project: string): Promise<readonly Stored[]> {
  writeAll(project, { "storing.js": storing });
  const { code, stdout, stderr } = await run(process.execPath, ["storing.js"], { cwd: project, env: process.env });
  assert.equal(code, 0, stderr);
  // What the program logs is among it.
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as Stored);
}
