import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lab/pulumi";

/** The schema, as far as the published packages of other languages need more than it says. */
interface Schema {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
}

/**
 * The schema of which the published packages of other languages are written: programs get the plugin by it, from the release's tag in the
 * git repository. The plugin's own schema does not say so, since a program may have the plugin from npm.
 */
export function sdkSchema(text: string): string {
  const schema = JSON.parse(text) as Schema;
  return `${JSON.stringify({ ...schema, pluginDownloadURL: `${schema.repository.replace("https://", "git://")}/plugin` }, undefined, 2)}\n`;
}

if (require.main === module) process.stdout.write(sdkSchema(readFileSync(join(root, "plugin", "schema.json"), "utf8")));
