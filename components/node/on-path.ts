import { spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { local } from "@pulumi/command";
import type { Problem } from "../report";
import { isRecord } from "../options";
import type { Transform } from "../transform";
import { isSupportedNode, newerNode, supportedNodes } from "./version";

/** Time for a version manager's shim to find its Node, in milliseconds. */
const shimLimit = 10_000;

/** Several clusters of one program ask the same. */
const asked = new Map<string, readonly Problem[]>();

/**
 * What is wrong with the `node` that will do the work on hosts. Pulumi's command plugin starts the first one on PATH, which need not be
 * the one that runs the user's program.
 *
 * @param transforms Of all commands. Where one of them takes another interpreter, that one is the user's own choice and is not looked at.
 */
export function nodeProblems(transforms: readonly (Transform<local.CommandArgs> | undefined)[]): readonly Problem[] {
  if (transforms.some((transform) => typeof transform === "function" || transform?.interpreter !== undefined)) return [];
  const path = process.env["PATH"] ?? "";
  const problems = asked.get(path) ?? problemsOn(path);
  asked.set(path, problems);
  return problems;
}

/** Those of a cluster or a piece. What is no object of arguments has none: its plan tells. */
export function transformsOf(args: unknown): readonly (Transform<local.CommandArgs> | undefined)[] {
  const given = isRecord(args) ? args["transform"] : undefined;
  return isRecord(given) ? (Object.values(given) as readonly (Transform<local.CommandArgs> | undefined)[]) : [];
}

function problemsOn(path: string): readonly Problem[] {
  const found = firstOn(path);
  if (found !== undefined && realpathSync(found) === realpathSync(process.execPath)) return problemsOf(process.version, process.execPath);
  const { stdout, stderr, error, status } = spawnSync("node", ["-p", "process.version + ' ' + process.execPath"], {
    encoding: "utf8",
    timeout: shimLimit,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (error && "code" in error && error.code === "ENOENT") {
    return [{ path: "node", message: "there is no node on PATH, and it does the work on hosts", fix: `${newerNode}, and put it on PATH` }];
  }
  const [, version, file] = /^(v\S+) (.*)$/m.exec(stdout ?? "") ?? [];
  if (version !== undefined && file !== undefined) return problemsOf(version, file);
  const said = error?.message ?? (stderr.trim().split("\n")[0] || `it ended with code ${status ?? "none"}`);
  const message = `${found ?? "the node on PATH"} does the work on hosts, and cannot say its version: ${said}`;
  return [{ path: "node", message, fix: `make "node --version" work in the folder of the program` }];
}

function problemsOf(version: string, file: string): readonly Problem[] {
  if (isSupportedNode(version)) return [];
  const other = file === process.execPath ? "" : `; the program itself runs on ${process.version} (${process.execPath})`;
  return [
    {
      path: "node",
      message: `the first node on PATH is ${version} (${file}), and it does the work on hosts, which needs ${supportedNodes}${other}`,
      fix: `${newerNode}, and put it first on the PATH of the shell that runs pulumi`,
    },
  ];
}

/** As the command plugin finds it. It starts nothing in a relative folder. */
function firstOn(path: string): string | undefined {
  const folders = path.split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, "node")).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
