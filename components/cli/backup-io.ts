import { readFileSync } from "node:fs";
import type { Connection } from "../remote/connection";
import { targetOfConnections } from "../status/source/connections";
import { exportStack } from "../status/source/pulumi";
import { askedIn } from "../status/source/state";
import { chosen, refuseConnectionAsText, textOf } from "./target";
import { type Terminal, UsageError } from "./verb";

/** A secret is never an argument: everybody on the machine reads those. */
export const passphraseVariable = "PULUMI_SWARM_BACKUP_PASSPHRASE";

export const sourceHelp = `How to reach the hosts it learns from the stack: in the program's folder it runs "pulumi stack export --show-secrets" and reads what that
prints by a pipe.

  --stack NAME            the stack (the one that is selected)
  --cluster NAME          which cluster, where the stack has several
  --connection FILE|-     without a stack: the cluster's output "connections" in JSON`;

/** Where it is said which hosts are meant. */
export interface Source {
  readonly stack?: string | undefined;
  readonly cluster?: string | undefined;
  readonly connection?: string | undefined;
}

export const sourceOptions = { stack: { type: "string" }, cluster: { type: "string" }, connection: { type: "string" } } as const;

/** @throws UsageError */
export function sourceOf({ stack, cluster, connection }: Source): Source {
  const other = stack === undefined ? (cluster === undefined ? undefined : "--cluster") : "--stack";
  if (connection !== undefined && other !== undefined)
    throw new UsageError(`--connection and ${other} both say where the hosts are; keep one of them`);
  refuseConnectionAsText(connection);
  return { stack, cluster, connection };
}

/** By host. @throws NoTarget */
export async function connectionsOf({ stack, cluster, connection }: Source, terminal: Terminal): Promise<Readonly<Record<string, Connection>>> {
  const { hosts } =
    connection === undefined
      ? chosen(askedIn(await exportStack(stack), stack === undefined ? "the selected stack" : `the stack ${stack}`), cluster)
      : targetOfConnections(await textOf(connection, terminal), "its connections");
  return Object.fromEntries(hosts.map((host) => [host.key, host.connection]));
}

/** @returns undefined where none is given */
export function passphraseOf(file: string | undefined): string | undefined {
  const text = file === undefined ? process.env[passphraseVariable] : read(file, "--passphrase-file").toString("utf8").split("\n", 1)[0];
  if (text === undefined) return undefined;
  if (text.length < 12) throw new UsageError("the passphrase has fewer than 12 characters, and whoever has the file can try as many as they like");
  return text;
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
