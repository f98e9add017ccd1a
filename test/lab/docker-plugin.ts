import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../tools/lab/pulumi";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { paths } = require("../../tools/setup/env.js") as { paths: { readonly plugins: string } };

/** Whether Docker's provider is Pulumi's own: the stand-in knows neither `ssh://` nor services. */
export function hasDockerPlugin(): boolean {
  const { version } = JSON.parse(readFileSync(join(root, "node_modules", "@pulumi", "docker", "package.json"), "utf8")) as { version: string };
  const plugin = join(paths.plugins, `resource-docker-v${version}`);
  return existsSync(plugin) && !existsSync(join(plugin, "STAND-IN"));
}
