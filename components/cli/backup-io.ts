import { readFileSync } from "node:fs";
import { connectionsIn } from "../backup/connections";
import type { Connection } from "../remote/connection";
import { type Terminal, UsageError } from "./verb";

/** A secret is never an argument: everybody on the machine reads those. */
export const passphraseVariable = "PULUMI_SWARM_BACKUP_PASSPHRASE";

export const connectionsHelp = `CONNECTIONS is what this prints, NAME being the stack's output with the cluster's connections:
  pulumi stack output NAME --show-secrets --json
It has private keys: give it by a pipe, as "-".`;

/** @returns undefined where none is given */
export function passphraseOf(file: string | undefined): string | undefined {
  const text = file === undefined ? process.env[passphraseVariable] : read(file, "--passphrase-file").toString("utf8").split("\n", 1)[0];
  if (text === undefined) return undefined;
  if (text.length < 12) throw new UsageError("the passphrase has fewer than 12 characters, and whoever has the file can try as many as they like");
  return text;
}

export async function connectionsOf(source: string, terminal: Terminal): Promise<Readonly<Record<string, Connection>>> {
  try {
    return connectionsIn(source === "-" ? await terminal.input() : read(source, "the file of connections").toString("utf8"));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`no connections are in ${source === "-" ? "standard input" : JSON.stringify(source)}: ${(error as Error).message}`);
  }
}

/** Lines of a file of keys, without comments. */
export function linesOf(file: string, what: string): string[] {
  return read(file, what)
    .toString("utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

export function read(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${what} ${JSON.stringify(file)} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
