import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";

/** Where the program runs that asks for a command, and whether the command plugin runs in the same folder. */
export interface Place {
  readonly folder: string;
  /** Not so for an inline program of the Automation API. */
  readonly sharedWithPlugin: boolean;
}

/**
 * A file of this package as Pulumi's state should name it: relative to the folder where the command plugin starts it, so that a checkout
 * on another machine, such as CI, shows no difference; and without the package's version, so that a destroy works after an upgrade.
 *
 * pnpm, and other package managers where they are told to, keep packages in folders that have the version in their name, and link
 * `node_modules/pulumi-swarm` to one of them. Node takes the folder for the file's place; the link is what stays. So it is with a plugin
 * that Pulumi fetched, which makes that link by itself.
 */
export function pathInState(file: string, place: Place): string {
  const plain = pathFrom(place, file);
  const { folder, name, version } = packageOf(file);
  if (!namesVersion(plain, version) && !isPluginFolder(folder)) return plain;
  const link = linksTo(name, place.folder).find((candidate) => existsSync(candidate) && realpathSync(candidate) === realpathSync(folder));
  return link === undefined ? plain : pathFrom(place, join(link, relative(folder, file)));
}

/** What to tell a user whose state would name a folder that the next version does not have. */
export function describeVersioned(path: string, file: string): string | undefined {
  const { name, version } = packageOf(file);
  if (!namesVersion(path, version)) return undefined;
  return (
    `The state names ${path}, a folder of version ${version} of ${name} alone. After an upgrade, run "pulumi up" before "pulumi destroy". ` +
    `Fix: add ${name} to the dependencies of the package.json beside Pulumi.yaml, so that the state names node_modules/${name}`
  );
}

/** Whether Pulumi keeps this folder for one version of a plugin that it fetched: `plugins/resource-NAME-vVERSION` in its home. */
export function isPluginFolder(folder: string): boolean {
  return basename(dirname(folder)) === "plugins" && /^resource-.+-v\d+\.\d+\.\d+/.test(basename(folder));
}

function pathFrom({ folder, sharedWithPlugin }: Place, file: string): string {
  const path = relative(folder, file);
  return !sharedWithPlugin && path.startsWith("..") ? file : path;
}

/** Of a package manager's store in `node_modules`, such as `.pnpm`, each folder is for one version; elsewhere, one that has it in its name. */
function namesVersion(path: string, version: string): boolean {
  const alone = new RegExp(`(?<![\\w.])v?${version.replaceAll(".", "\\.")}(?!\\.?\\d)`);
  const folders = path.split(sep);
  const inStore = (index: number): boolean => folders[index - 2] === "node_modules" && folders[index - 1]?.startsWith(".") === true;
  return folders.some((folder, index) => alone.test(folder) || (inStore(index) && folder !== "node_modules"));
}

/** Links that stay, the nearest first; the second ones are those that pnpm keeps for what other packages depend on. */
function linksTo(name: string, from: string): string[] {
  const folders = [from];
  for (let folder = from; dirname(folder) !== folder; folder = dirname(folder)) folders.push(dirname(folder));
  return folders.flatMap((folder) => [join(folder, "node_modules", name), join(folder, "node_modules", ".pnpm", "node_modules", name)]);
}

interface Package {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
}

function packageOf(file: string): Package {
  let folder = dirname(file);
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name: string; version: string };
  return { folder, name, version };
}
