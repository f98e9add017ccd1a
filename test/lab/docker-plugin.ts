import { existsSync } from "node:fs";
import { join } from "node:path";
import { ours } from "../package/packed";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { paths } = require("../../tools/setup/env.js") as { paths: { readonly plugins: string } };

/** Whether Docker's provider is Pulumi's own: the stand-in knows neither `ssh://` nor services. */
export function hasDockerPlugin(): boolean {
  const plugin = join(paths.plugins, `resource-docker-v${ours("@pulumi/docker")}`);
  return existsSync(plugin) && !existsSync(join(plugin, "STAND-IN"));
}
