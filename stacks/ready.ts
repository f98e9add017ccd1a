import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the package is compiled to, and of which sources: `npm run build` writes both. */
const built = join("dist", "components", "index.js");
const stamp = join("dist", "sources");

/**
 * Why the programs here cannot run yet, or would run what the package was before somebody changed it: they use it as it is
 * published, compiled.
 *
 * @param root Folder of the checkout.
 * @returns what is wrong and the command that mends it; undefined where all is well.
 */
export function buildProblem(root: string): string | undefined {
  if (!existsSync(join(root, built))) return `The package is not built: there is no ${built}. Fix: npm run build`;
  const of = existsSync(join(root, stamp)) ? readFileSync(join(root, stamp), "utf8") : "";
  if (of !== sourcesOf(root))
    return `The package was built from other sources than those in components/, which were changed since. Fix: npm run build`;
  return undefined;
}

/** Notes of which sources the package was built. */
export function stampBuild(root: string): void {
  writeFileSync(join(root, stamp), sourcesOf(root));
}

/** Names and contents; times do not count, since a checkout gives all files new ones. */
function sourcesOf(root: string): string {
  const hash = createHash("sha256");
  const folder = join(root, "components");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|sh)$/.test(name));
  for (const file of files.sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(folder, file)))
      .update("\0");
  return hash.digest("hex");
}

/** What each program cannot do without, by its name. What the example's file of a stack cannot hold has a command of its own. */
const needed: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  local: {},
  aws: { ssh: undefined },
  hybrid: { ssh: undefined, machines: undefined, machineKey: "pulumi config set --secret machineKey < ~/.ssh/id_ed25519" },
};

/**
 * @param has Whether the stack's configuration has a value.
 * @returns all that is missing, and the commands that put it there; undefined where nothing is.
 */
export function configProblem(program: string, stack: string, has: (key: string) => boolean): string | undefined {
  const missing = Object.entries(needed[program] ?? {}).filter(([key]) => !has(key));
  if (missing.length === 0) return undefined;
  const example = `cat Pulumi.${program}.example.yaml >> Pulumi.${stack}.yaml, and put your own values there`;
  const fixes = new Set(missing.map(([, command]) => command ?? example));
  return `The stack "${stack}" has no value for ${missing.map(([key]) => key).join(", ")}. Fix: ${[...fixes].join("; ")}`;
}
