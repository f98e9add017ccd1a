import { rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Lock, lockBackup, recipientProblem } from "../backup/file";
import { warningOf } from "../backup/refusals";
import { BackupProblem, closeAll, reach, takeBackup } from "../backup/take";
import { connectionsOf, linesOf, passphraseOf, passphraseVariable, type Source, sourceHelp, sourceOf, sourceOptions } from "./backup-io";
import { asUsage, type Terminal, unusable, UsageError, type Verb } from "./verb";

const usage = `Usage: pulumi-swarm backup --out FILE|- [options]

Writes one encrypted file with all that a swarm keeps: services, networks, secrets, configs, nodes, certificates, the unlock key, and what
this package remembers. Data in volumes is not part of it. The engine of one manager that is not the leader is stopped for some seconds;
it starts again by itself, whatever becomes of this command.

${sourceHelp}
  --out FILE|-            where to; FILE must not be there yet. On standard output it is text
  --recipient AGE1…       public key of age that can open it; more than once for several
  --recipients-file FILE  the same, a key each line
  --passphrase-file FILE  encrypts by the passphrase in its first line instead; or ${passphraseVariable} in the environment
  --without-quorum        also where the swarm has no leader while the engine is stopped, as with one or two managers

The file is in the format of age (https://age-encryption.org): its programs open it, too.

Exit codes: 0 written; 1 not, and the swarm is as it was.
`;

interface Options {
  readonly source: Source;
  readonly out: string;
  readonly lock: Lock;
  readonly withoutQuorum: boolean;
}

export const backup: Verb = {
  summary: "write all that the swarm keeps to one encrypted file",
  usage,
  run: async (args: readonly string[], terminal: Terminal) => {
    const { source, out, lock, withoutQuorum } = await optionsOf(args);
    const progress = (host: string, line: string): void => terminal.error(`${host}: ${line}\n`);
    let begun = false;
    let hosts: Awaited<ReturnType<typeof reach>> = [];
    try {
      const connections = await connectionsOf(source, terminal);
      // What cannot be written is found before an engine is stopped.
      if (out !== "-") writeFileSync(out, "", { mode: 0o600, flag: "wx" });
      begun = out !== "-";
      hosts = await reach(connections, { progress });
      const taken = await takeBackup(hosts, withoutQuorum, { progress, now: () => new Date() });
      const file = await lockBackup(taken, lock);
      if (out === "-") terminal.out(await armored(file));
      else writeFileSync(out, file, { mode: 0o600 });
      terminal.error(`Backup of the swarm ${taken.swarmId}, from ${taken.manager.key}: ${file.length} bytes\n`);
      const warning = warningOf(taken);
      if (warning !== undefined) terminal.error(`warning: ${warning}\n`);
      return 0;
    } catch (error) {
      // The next run is to find its place free.
      if (begun) rmSync(out, { force: true });
      const said = error instanceof Error ? error.message : String(error);
      const fix = (error as NodeJS.ErrnoException).code === "EEXIST" ? ". Fix: name a file that is not there yet" : "";
      terminal.error(`pulumi-swarm backup: ${said}${error instanceof BackupProblem ? "" : fix}\n`);
      return unusable;
    } finally {
      closeAll(hosts);
    }
  },
};

async function armored(file: Uint8Array): Promise<string> {
  const { armor } = await import("age-encryption");
  return armor.encode(file);
}

async function optionsOf(args: readonly string[]): Promise<Options> {
  const { values, positionals } = asUsage(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...sourceOptions,
        out: { type: "string" },
        recipient: { type: "string", multiple: true },
        "recipients-file": { type: "string" },
        "passphrase-file": { type: "string" },
        "without-quorum": { type: "boolean" },
      },
    }),
  );
  if (positionals.length > 0) throw new UsageError(`it takes no ${JSON.stringify(positionals[0])}`);
  const { out } = values;
  if (out === undefined) throw new UsageError("it is not said where to: --out FILE, or - for standard output");
  const file = values["recipients-file"];
  const recipients = [...(values.recipient ?? []), ...(file === undefined ? [] : linesOf(file, "--recipients-file"))];
  const lock = await lockOf(recipients, passphraseOf(values["passphrase-file"]));
  return { source: sourceOf(values), out, lock, withoutQuorum: values["without-quorum"] === true };
}

async function lockOf(recipients: readonly string[], passphrase: string | undefined): Promise<Lock> {
  if (recipients.length > 0 && passphrase !== undefined) throw new UsageError("recipients and a passphrase are given; keep one of them");
  if (passphrase !== undefined) return { passphrase };
  if (recipients.length === 0) throw new UsageError("a backup is always encrypted: give --recipient, --recipients-file or --passphrase-file");
  for (const recipient of recipients) {
    const problem = await recipientProblem(recipient);
    if (problem !== undefined) throw new UsageError(`${JSON.stringify(recipient.slice(0, 12))}… is no public key of age (age1…): ${problem}`);
  }
  return { recipients };
}
