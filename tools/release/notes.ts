import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lab/pulumi";

/**
 * What the changelog says of one version.
 *
 * @throws Error where it says nothing of it.
 */
export function notesOf(changelog: string, version: string): string {
  const lines = changelog.split("\n");
  const isHeading = (line: string): boolean => line.startsWith("## ");
  const from = lines.findIndex((line) => isHeading(line) && (/^## \[?([^\s\]]+)/.exec(line)?.[1] ?? "") === version);
  if (from < 0) throw new Error(`CHANGELOG.md has no heading "## ${version}". Fix: give the heading "Unreleased" this number`);
  const length = lines.slice(from + 1).findIndex(isHeading);
  const notes = lines
    .slice(from + 1, length < 0 ? undefined : from + 1 + length)
    .join("\n")
    .trim();
  if (notes === "") throw new Error(`CHANGELOG.md says nothing below "## ${version}"`);
  return `${notes}\n`;
}

/** @throws Error where the tag is not that of the package's version. */
export function versionOf(tag: string, packageVersion: string): string {
  if (tag !== `v${packageVersion}`)
    throw new Error(`the tag is ${tag}, and package.json has version ${packageVersion}: expected the tag v${packageVersion}`);
  return packageVersion;
}

/** Prints the notes of a release: `ts-node tools/release/notes.ts v0.2.0`. */
function main([tag = ""]: readonly string[]): void {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  try {
    process.stdout.write(notesOf(readFileSync(join(root, "CHANGELOG.md"), "utf8"), versionOf(tag, version)));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

if (require.main === module) main(process.argv.slice(2));
