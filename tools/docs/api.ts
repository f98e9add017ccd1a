import { join } from "node:path";
import { createProgram, entryPoints } from "./program";
import { writeReports } from "./report";

/** Writes the reports of the public surface in api/: `npm run api`. */
function main(root: string): void {
  const entries = entryPoints(root);
  const between = join(root, ".lab", "api");
  writeReports(root, createProgram(root, entries, {}, between), entries, join(root, "api"), between);
}

main(process.cwd());
