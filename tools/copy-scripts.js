// @ts-check
// tsc copies nothing but its own: puts each shell script, and the schema, beside the compiled module that loads it. Then it notes of
// which sources all of it was built.
const { copyFileSync, readdirSync } = require("node:fs");
const { dirname, join } = require("node:path");

const root = dirname(__dirname);
for (const file of readdirSync(join(root, "components"), { recursive: true, encoding: "utf8" })) {
  if (file.endsWith(".sh")) copyFileSync(join(root, "components", file), join(root, "dist", "components", file));
}
copyFileSync(join(root, "plugin", "schema.json"), join(root, "dist", "plugin", "schema.json"));
require("../dist/stacks/ready.js").stampBuild(root);
