import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Lock, lockBackup, recipientProblem } from "../backup/file";
import { BackupProblem, closeAll, reach, takeBackup } from "../backup/take";
import { connectionsHelp, connectionsOf, linesOf, passphraseOf, passphraseVariable } from "./backup-io";
import { asUsage, type Terminal, unusable, UsageError, type Verb } from "./verb";

const usage = `Usage: pulumi-swarm backup --connections FILE|- --out FILE|- [options]

Writes one encrypted file with all that a swarm keeps: services, networks, secrets, configs, nodes, certificates, the unlock key, and what
this package remembers. Data in volumes is not part of it. The engine of one manager that is not the leader is stopped for some seconds;
it starts again by itself, whatever becomes of this command.

${connectionsHelp}

  --connections FILE|-    hosts of the cluster, or one manager
  --out FILE|-            where to; FILE must not be there yet. On standard output it is text
  --recipient AGE1…       public key of age that can open it; more than once for several
  --recipients-file FILE  the same, a key each line
  --passphrase-file FILE  encrypts by the passphrase in its first line instead; or ${passphraseVariable} in the environment
  --without-quorum        also where the swarm has no leader while the engine is stopped, as with one or two managers

The file is in the format of age (https://age-encryption.org): its programs open it, too.

Exit codes: 0 written; 1 not, and the swarm is as it was.
`;

interface Options {
  readonly connections: string;
  readonly out: string;
  readonly lock: Lock;
  readonly withoutQuorum: boolean;
}

export const backup: Verb = {
  summary: "write all that the swarm keeps to one encrypted file",
  usage,
  run: async (args: readonly string[], terminal: Terminal) => {
    const { connections, out, lock, withoutQuorum } = await optionsOf(args);
    const progress = (host: string, line: string): void => terminal.error(`${host}: ${line}\n`);
    const all = await connectionsOf(connections, terminal);
    let hosts: Awaited<ReturnType<typeof reach>> = [];
    try {
      // What cannot be written is found before an engine is stopped.
      if (out !== "-") writeFileSync(out, "", { mode: 0o600, flag: "wx" });
      hosts = await reach(all, { progress });
      const taken = await takeBackup(hosts, withoutQuorum, { progress, now: () => new Date() });
      const file = await lockBackup(taken, lock);
      if (out === "-") terminal.out(await armored(file));
      else writeFileSync(out, file, { mode: 0o600 });
      terminal.error(`Backup of the swarm ${taken.swarmId}, from ${taken.manager.key}: ${file.length} bytes\n`);
      return 0;
    } catch (error) {
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
        connections: { type: "string" },
        out: { type: "string" },
        recipient: { type: "string", multiple: true },
        "recipients-file": { type: "string" },
        "passphrase-file": { type: "string" },
        "without-quorum": { type: "boolean" },
      },
    }),
  );
  if (positionals.length > 0) throw new UsageError(`it takes no ${JSON.stringify(positionals[0])}`);
  const { connections, out } = values;
  if (connections === undefined) throw new UsageError("no hosts are given: --connections FILE, or - for standard input");
  if (out === undefined) throw new UsageError("it is not said where to: --out FILE, or - for standard output");
  const file = values["recipients-file"];
  const recipients = [...(values.recipient ?? []), ...(file === undefined ? [] : linesOf(file, "--recipients-file"))];
  const lock = await lockOf(recipients, passphraseOf(values["passphrase-file"]));
  return { connections, out, lock, withoutQuorum: values["without-quorum"] === true };
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
