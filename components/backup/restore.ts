import { makeGwbridge } from "../engine";
import { restartEngine } from "../gossip/ports";
import { localOrNothing, messageOf, waitUntil } from "../membership/control";
import { examineHost } from "../membership/examine";
import { formAnew } from "../membership/recover";
import { isLeaderless } from "../membership/recovery";
import { defaultLimits, type MembershipIo } from "../membership/types";
import type { Backup } from "./file";
import { type BeforeRestore, whyNotRestored } from "./refusals";
import { backupScript, BackupProblem, clustersOn, type Reached, underLock } from "./take";

const scriptTimeout = 10 * 60_000;

/**
 * How much the count of recoveries is raised. More than one: the swarm may have been recovered since the backup was taken, and what Pulumi's
 * state remembers of that must not look newer than what is restored.
 */
const recoveriesSince = 100;

export interface RestoreIo extends Pick<MembershipIo, "sleep" | "now"> {
  progress(host: string, line: string): void;
}

/**
 * The swarm of a backup on one host, as Docker documents it ("Restore from a backup"): its state in place, and formed anew with this host as
 * the only manager. The next `up` joins the others.
 *
 * @param hosts All that are reached: none of them may be in a swarm.
 * @param to One of them, which has the address of the manager whose state it is.
 * @throws BackupProblem
 */
export async function restoreBackup(backup: Backup, hosts: readonly Reached[], to: Reached, io: RestoreIo): Promise<void> {
  const refused = whyNotRestored(backup, await lookBefore(backup, hosts));
  if (refused !== undefined) throw new BackupProblem(`nothing was done: ${refused}`);
  const { DockerRootDir: root } = await to.docker.get<{ readonly DockerRootDir: string }>("/info").catch((error: unknown) => {
    throw new BackupProblem(
      `nothing was done: the engine of ${to.key} does not answer: ${messageOf(error)}. Fix: install Docker there, ${backup.manager.engine} or newer`,
    );
  });
  const { address, gwbridge } = backup.manager;
  await underLock(to, "a restore", [...new Set([...backup.clusters, ...(await clustersOn(to))])], async () => {
    await to.session.script(backupScript, { ROOT: root, ADDRESS: address }, { verb: "fit", timeout: 60_000 }).catch((error: unknown) => {
      throw new BackupProblem(`nothing was done: ${messageOf(error)}`);
    });
    // One that is used stays, and `up` says so.
    if (gwbridge) await makeGwbridge(to.session, gwbridge).catch((error: unknown) => io.progress(to.key, messageOf(error)));
    await to.session.script(
      backupScript,
      { ROOT: root, ARCHIVE: backup.archive },
      { verb: "put", timeout: scriptTimeout, onProgress: (line) => io.progress(to.key, line) },
    );
    await lead(backup, to, io);
  });
}

async function lookBefore({ managers }: Backup, hosts: readonly Reached[]): Promise<readonly BeforeRestore[]> {
  const looked = hosts.map(async (host): Promise<BeforeRestore> => {
    const local = await localOrNothing(host.api);
    const examined = local && (await examineHost(host, managers).catch(() => undefined));
    return { key: host.key, state: local?.state, answering: examined?.open ?? [] };
  });
  return Promise.all(looked);
}

async function lead({ swarmId, recovered }: Backup, to: Reached, io: RestoreIo): Promise<void> {
  const { key, api, session } = to;
  const wait = { sleep: io.sleep.bind(io), now: io.now.bind(io), restart: () => restartEngine(session) };
  // An engine that just started is no manager yet, and would refuse.
  const started = await waitUntil(wait, [key, "its manager to start"], defaultLimits.leader, async () => {
    const local = await localOrNothing(api);
    return local !== undefined && (isLeaderless(local) || local.controlAvailable);
  });
  const { addresses } = await examineHost(to, []);
  if (!started || addresses === undefined) throw new BackupProblem(`${key}: no manager starts from the backup. Look at "journalctl -u docker" there`);
  io.progress(key, "forms the swarm again from the backup");
  await formAnew(to, { ...addresses, forceNewCluster: true }, recovered + recoveriesSince, wait, defaultLimits);
  const found = (await api.local()).swarmId;
  if (found !== swarmId) throw new BackupProblem(`${key}: it leads the swarm ${found}, and the backup is of ${swarmId}`);
}
