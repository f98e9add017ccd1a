import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Types, withTables } from "./options";
import { createProgram, entryPoints } from "./program";
import { writeReference } from "./reference";

/** Writes the tables of options in docs/ and the reference in docs/api: `npm run docs`. */
async function main(root: string): Promise<void> {
  const types = new Types(join(root, "components"));
  const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"));
  for (const page of pages.map((file) => join(root, "docs", file))) {
    const before = readFileSync(page, "utf8");
    const after = withTables(before, types);
    if (after !== before) writeFileSync(page, after);
  }
  const entries = entryPoints(root);
  for (const problem of await writeReference(createProgram(root, entries), entries, join(root, "docs", "api"))) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 1;
  }
}

void main(process.cwd());
