import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pluginSchema } from "./schema";

/** Writes what the package offers to other languages: `npm run schema`. */
writeFileSync(join(process.cwd(), "plugin", "schema.json"), pluginSchema(process.cwd()));
