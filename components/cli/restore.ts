import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Key, openBackup, UnreadableBackup } from "../backup/file";
import { restoreBackup } from "../backup/restore";
import { BackupProblem, closeAll, reach } from "../backup/take";
import { connectionsOf, linesOf, passphraseOf, passphraseVariable, read, type Source, sourceHelp, sourceOf, sourceOptions } from "./backup-io";
import { asUsage, type Terminal, unusable, UsageError, type Verb } from "./verb";

const usage = `Usage: pulumi-swarm restore FILE [options]

Brings back the swarm of a backup on one manager: its id, services, networks, secrets and configs. Then "pulumi up" joins the other hosts.
None of the hosts may be in a swarm. The manager must have Docker, and the address that it had in the swarm. Services start there at once.

${sourceHelp}
  --to HOST               key of the manager, where it is not the same as in the backup
  --identity-file FILE    secret keys of age, a line each
  --passphrase-file FILE  the passphrase in its first line; or ${passphraseVariable} in the environment

Exit codes: 0 restored; 1 not.
`;

interface Options {
  readonly file: string;
  readonly source: Source;
  readonly to: string | undefined;
  readonly key: Key;
}

export const restore: Verb = {
  summary: "bring a swarm back from a backup",
  usage,
  run: async (args: readonly string[], terminal: Terminal) => {
    const { file, source, to, key } = optionsOf(args);
    const progress = (host: string, line: string): void => terminal.error(`${host}: ${line}\n`);
    let hosts: Awaited<ReturnType<typeof reach>> = [];
    try {
      const backup = await openBackup(await plainBytes(read(file, "the backup")), key);
      const all = await connectionsOf(source, terminal);
      const wanted = to ?? backup.manager.key;
      if (!all[wanted])
        throw new BackupProblem(`there is no connection to ${wanted}; there are ${Object.keys(all).join(", ")}. Fix: name a manager by --to`);
      hosts = await reach(all, { progress });
      const chosen = hosts.find((host) => host.key === wanted);
      if (!chosen) throw new BackupProblem(`${wanted} cannot be reached, see above`);
      await restoreBackup(backup, hosts, chosen, { progress, sleep: (milliseconds) => sleep(milliseconds), now: Date.now });
      terminal.error(`The swarm ${backup.swarmId} of ${backup.taken} is back on ${wanted}. Run "pulumi up": it joins the other hosts\n`);
      return 0;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      const said = error instanceof Error ? error.message : String(error);
      terminal.error(`pulumi-swarm restore: ${error instanceof UnreadableBackup ? `${JSON.stringify(file)}: ` : ""}${said}\n`);
      return unusable;
    } finally {
      closeAll(hosts);
    }
  },
};

/** As text, where it was written to standard output. */
async function plainBytes(file: Buffer): Promise<Uint8Array> {
  if (!file.subarray(0, 40).toString("latin1").trimStart().startsWith("-----BEGIN")) return file;
  const { armor } = await import("age-encryption");
  return armor.decode(file.toString("latin1"));
}

function optionsOf(args: readonly string[]): Options {
  const { values, positionals } = asUsage(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...sourceOptions,
        to: { type: "string" },
        "identity-file": { type: "string" },
        "passphrase-file": { type: "string" },
      },
    }),
  );
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) throw new UsageError("it takes one file, which backup wrote");
  const { to } = values;
  const source = sourceOf(values);
  const identities = values["identity-file"];
  if (identities !== undefined) return { file, source, to, key: { identities: linesOf(identities, "--identity-file") } };
  const passphrase = passphraseOf(values["passphrase-file"]);
  if (passphrase === undefined) throw new UsageError("nothing is given that opens it: --identity-file or --passphrase-file");
  return { file, source, to, key: { passphrase } };
}
