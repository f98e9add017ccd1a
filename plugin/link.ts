import { existsSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isPluginFolder } from "../components/agents/path";

/*
 * Pulumi keeps what it got from a git repository in a folder of this user and this version. A state that named files there would be of no
 * use on another machine, nor after an upgrade. So the project gets the link that npm would make in `node_modules`, and states name that.
 */

/**
 * Links the project's `node_modules/pulumi-swarm` to the package, where the package is a plugin that Pulumi fetched.
 *
 * @param packageFolder Where the package is that runs.
 * @param from A folder of the project. Outside a project nothing is linked.
 */
export function linkIntoProject(packageFolder: string, from: string): void {
  const project = projectAround(from);
  if (!isPluginFolder(packageFolder) || project === undefined) return;
  const link = join(project, "node_modules", "pulumi-swarm");
  const there = lstatSync(link, { throwIfNoEntry: false });
  // What a package manager put there is the user's own choice.
  if (there && !(there.isSymbolicLink() && isPluginFolder(targetOf(link)))) return;
  if (there && targetOf(link) === packageFolder) return;
  rmSync(link, { force: true });
  mkdirSync(dirname(link), { recursive: true });
  try {
    // Windows lets everybody make junctions.
    symlinkSync(packageFolder, link, "junction");
  } catch (error) {
    // Pulumi may start the plugin more than once at a time.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function targetOf(link: string): string {
  return resolve(dirname(link), readlinkSync(link));
}

function projectAround(folder: string): string | undefined {
  if (["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].some((file) => existsSync(join(folder, file)))) return folder;
  return dirname(folder) === folder ? undefined : projectAround(dirname(folder));
}
