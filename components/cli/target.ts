import { readFileSync } from "node:fs";
import { NoTarget, type Target } from "../status/source/target";
import { type Terminal, UsageError } from "./verb";

/** The cluster of that name, or the only one. @throws NoTarget */
export function chosen(all: readonly Target[], wanted: string | undefined): Target {
  const names = all.map(({ cluster }) => JSON.stringify(cluster)).join(", ");
  if (all.length === 0) throw new NoTarget("There is no cluster of pulumi-swarm in the stack. Fix: name the stack that has one");
  const found = wanted === undefined ? all : all.filter(({ cluster }) => cluster === wanted);
  const [only, ...others] = found;
  if (only === undefined) throw new NoTarget(`There is no cluster ${JSON.stringify(wanted)}. Fix: --cluster with one of ${names}`);
  if (others.length > 0) throw new NoTarget(`There are several clusters. Fix: choose one by --cluster: ${names}`);
  return only;
}

/** @param file A name, or - for standard input. @throws NoTarget */
export async function textOf(file: string, terminal: Terminal): Promise<string> {
  if (file === "-") return terminal.input();
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new NoTarget(
      `${JSON.stringify(file)} cannot be read: ${(error as Error).message.replace(/,? (open|read)\b.*$/, "")}. Fix: name a file that is there`,
    );
  }
}

/** @throws UsageError */
export function refuseConnectionAsText(connection: string | undefined): void {
  if (connection !== undefined && /^\s*\{/.test(connection))
    throw new UsageError(
      "--connection takes the name of a file, or - for standard input: everyone on this machine can read the arguments of a program",
    );
}
