// @ts-check
"use strict";
// Where Pulumi runs the folder itself (PulumiPlugin.yaml). It exports nothing: of an exported component, Pulumi would make a provider of its own.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const provider = join(__dirname, "..", "dist", "plugin", "provider.js");
if (existsSync(provider)) void require(provider).serve();
else {
  process.stderr.write(
    `The plugin in ${__dirname} is not built: there is no ${provider}. Fix: run "node install.js" in ${__dirname}; npm does so unless it is told to ignore scripts\n`,
  );
  process.exitCode = 1;
}
