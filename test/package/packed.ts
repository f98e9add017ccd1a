import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "../../tools/lab/pulumi";
import { clientKey } from "../unit/client-key";

/*
 * The package as npm packs it, and what a program outside this project has beside it.
 */

/** So that npm is quick, leaves nothing and says nothing. */
export const npmQuiet = ["--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"];

/** @returns the tarball, and the files in it. */
export async function pack(into: string, from = root): Promise<{ readonly tarball: string; readonly files: readonly string[] }> {
  const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", into, "--json"], { cwd: from });
  assert.equal(packed.code, 0, packed.stderr);
  const [{ filename = "", files = [] } = {}] = JSON.parse(packed.stdout) as { filename?: string; files?: { path: string }[] }[];
  return { tarball: join(into, filename), files: files.map(({ path }) => path) };
}

/** The version of a package that this project is tested with. */
export function ours(name: string): string {
  return (JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;
}

/** The tools of a TypeScript project, as it would have them; ours are linked to spare a download. */
export function linkTools(folder: string): void {
  mkdirSync(join(folder, "node_modules", "@types"), { recursive: true });
  for (const name of ["typescript", "ts-node", join("@types", "node")]) {
    rmSync(join(folder, "node_modules", name), { recursive: true, force: true });
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
}

/** A group of one machine that is never dialled, as a program has it. */
export const rackHosts = `existing.hosts({
      role: "manager",
      privateKey: ${JSON.stringify(clientKey)},
      machines: { a: { address: "192.0.2.10", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI" } },
    })`;
