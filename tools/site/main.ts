import { join } from "node:path";
import { writeSite } from "./index";

/** Writes the site into `site`: `npm run site`. */
async function main(root: string): Promise<void> {
  for (const problem of await writeSite(root, join(root, "site"))) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 1;
  }
}

void main(process.cwd());
