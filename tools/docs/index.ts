import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Types, withTables } from "./options";

/** Writes the tables of options in docs/: `npm run docs`. */
function main(root: string): void {
  const types = new Types(join(root, "components"));
  const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"));
  for (const page of pages.map((file) => join(root, "docs", file))) {
    const before = readFileSync(page, "utf8");
    const after = withTables(before, types);
    if (after !== before) writeFileSync(page, after);
  }
}

main(process.cwd());
