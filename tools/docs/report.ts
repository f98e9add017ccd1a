import { mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { CompilerState, Extractor, ExtractorConfig, type IConfigFile } from "@microsoft/api-extractor";
import type * as ts from "typescript";
import type { EntryPoint } from "./program";

/*
 * The public surface as text, a file for each entry point in api/: a change of it is seen in review, and is what decides the next version.
 */

/** Writes the reports into a folder. What lies between, declarations of the sources as they are now, goes into another one. */
export function writeReports(root: string, program: ts.Program, entries: readonly EntryPoint[], folder: string, between: string): void {
  rmSync(between, { recursive: true, force: true });
  program.emit(undefined, undefined, undefined, true, undefined);
  mkdirSync(folder, { recursive: true });
  const configs = entries.map((entry) => configOf(root, entry, folder, between));
  const [first, ...others] = configs;
  if (!first) return;
  // One program for all of them.
  const compilerState = CompilerState.create(first, { additionalEntryPoints: others.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath) });
  for (const config of configs) {
    Extractor.invoke(config, { compilerState, localBuild: true, messageCallback: (message) => (message.handled = true) });
  }
}

function configOf(root: string, { page, source }: EntryPoint, folder: string, between: string): ExtractorConfig {
  const file = join(between, relative(root, source)).replace(/\.ts$/, ".d.ts");
  const configObject: IConfigFile = {
    projectFolder: root,
    mainEntryPointFilePath: file,
    newlineKind: "lf",
    compiler: { overrideTsconfig: { compilerOptions: { module: "nodenext", target: "ES2022", skipLibCheck: true, types: ["node"] }, files: [file] } },
    apiReport: { enabled: true, reportFolder: folder, reportTempFolder: join(between, "reports"), reportFileName: page },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      compilerMessageReporting: { default: { logLevel: "none" as never } },
      // Docstrings have their own check, by what writes the reference.
      tsdocMessageReporting: { default: { logLevel: "none" as never } },
      // As is what an entry point exports: it may name types that another one exports.
      extractorMessageReporting: { default: { logLevel: "none" as never } },
    },
  };
  return ExtractorConfig.prepare({ configObject, configObjectFullPath: undefined, packageJsonFullPath: join(root, "package.json") });
}

/** @returns what to do about a report that is not as it is written down; undefined where it is. */
export function staleReport(file: string, written: string | undefined, now: string | undefined): string | undefined {
  if (written === now) return undefined;
  const [before, after] = [written, now].map((text) => new Set((text ?? "").split("\n")));
  const gone = [...(before ?? [])].filter((line) => !after?.has(line)).map((line) => `- ${line.trim()}`);
  const come = [...(after ?? [])].filter((line) => !before?.has(line)).map((line) => `+ ${line.trim()}`);
  return [
    `what the package exports is not as ${file} says:`,
    ...gone,
    ...come,
    "Fix: run npm run api, read the difference, and say it in CHANGELOG.md under Unreleased; what is gone, or is required now, breaks",
    "programs, and the next version is a major one (CONTRIBUTING.md, Versions).",
  ].join("\n");
}
