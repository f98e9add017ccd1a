import { type EngineState, type Gwbridge, presentAs } from "../engine/bridges";
import { DockerSwarmApi } from "../membership/docker-swarm-api";
import { DockerApi, DockerApiError } from "../remote/docker-api";
import type { Connection } from "../remote/connection";
import { onEach, type Failure } from "../remote/each";
import { HostLock, thisRun } from "../remote/lock";
import { loadHostScript } from "../remote/script";
import { SshSession } from "../remote/ssh";
import { unlockAll } from "../membership/unlock";
import type { Backup } from "./file";
import { managerToStop } from "./manager";

export const backupScript = loadHostScript(__dirname, "backup.sh");
const scriptTimeout = 10 * 60_000;
/** Seconds after which the host starts its engine by itself: what stopping and copying takes on a slow host, three times. */
const returnSeconds = 90;

/** The message is for the user. */
export class BackupProblem extends Error {}

export interface BackupIo {
  progress(host: string, line: string): void;
  now(): Date;
}

/** A host with a session that stands, and its engine. */
export interface Reached {
  readonly key: string;
  readonly session: SshSession;
  readonly docker: DockerApi;
  readonly api: DockerSwarmApi;
}

/** @throws BackupProblem where none is reached; the others are only told of. */
export async function reach(connections: Readonly<Record<string, Connection>>, io: Pick<BackupIo, "progress">): Promise<readonly Reached[]> {
  const failures: Failure[] = [];
  const items = Object.entries(connections).map(([key, connection]) => ({ key, connection }));
  const reached = await onEach(items, failures, async ({ key, connection }): Promise<Reached> => {
    const session = await SshSession.open(key, connection);
    const docker = new DockerApi(key, session);
    return { key, session, docker, api: new DockerSwarmApi(key, docker) };
  });
  for (const { host, reason } of failures) io.progress(host, `is left out: ${reason.replace(`${host}: `, "")}`);
  if (reached.size === 0) throw new BackupProblem("no host can be reached, see above");
  return [...reached.values()];
}

export function closeAll(hosts: readonly Reached[]): void {
  for (const { docker, session } of hosts) {
    docker.close();
    session.close();
  }
}

/**
 * The swarm's state, from a manager that is not the leader, whose engine is stopped for the seconds that a copy takes. It starts again by
 * itself, whatever becomes of this run.
 *
 * @throws BackupProblem before anything is done, where the swarm would lose its quorum
 */
export async function takeBackup(hosts: readonly Reached[], withoutQuorum: boolean, io: BackupIo): Promise<Backup> {
  const looked = await onEach(hosts, [], async (host) => ({ ...host, local: await host.api.local() }));
  const managers = [...looked.values()].filter(({ local }) => local.controlAvailable && local.error === "");
  const [asked] = managers;
  if (!asked) throw new BackupProblem("none of the hosts that were reached is a manager of a swarm with a leader. Fix: give the connection of one");
  const nodes = await asked.api.nodes();
  const choice = managerToStop(managers, nodes, withoutQuorum);
  if (choice.kind === "refused") throw new BackupProblem(`nothing was done: ${choice.reason}`);
  const chosen = managers.find(({ key }) => key === choice.key) ?? asked;
  if (choice.warning !== undefined) io.progress(chosen.key, choice.warning);
  const unlockKey = await asked.api.unlockKey();
  const { DockerRootDir: root, ServerVersion: engine } = await chosen.docker.get<{ readonly DockerRootDir: string; readonly ServerVersion: string }>(
    "/info",
  );
  const gwbridge = await gwbridgeOf(chosen);
  const clusters = await clustersOn(chosen);
  const archive = await underLock(chosen, "a backup", clusters, async () => {
    const taken = await chosen.session.script<{ readonly archive: string }>(
      backupScript,
      { ROOT: root, LIMIT: String(returnSeconds) },
      { verb: "take", timeout: scriptTimeout, onProgress: (line) => io.progress(chosen.key, line) },
    );
    if (unlockKey !== "") await unlock(chosen, unlockKey, io);
    return taken.archive;
  });
  return {
    version: 1,
    taken: io.now().toISOString(),
    swarmId: asked.local.swarmId,
    recovered: asked.local.recovered,
    clusters,
    manager: { key: chosen.key, nodeId: chosen.local.nodeId, address: chosen.local.address, engine, ...(gwbridge && { gwbridge }) },
    managers: asked.local.remoteManagers.map(({ address }) => address),
    nodes: Object.fromEntries(nodes.map(({ id, hostname }) => [id, hostname])),
    ...(unlockKey !== "" && { unlockKey }),
    archive,
  };
}

async function gwbridgeOf({ docker }: Reached): Promise<Gwbridge | undefined> {
  const present = await docker.get<NonNullable<EngineState["gwbridge"]>>("/networks/docker_gwbridge").catch((error: unknown) => {
    if (error instanceof DockerApiError && error.status === 404) return undefined;
    throw error;
  });
  return present && presentAs(present);
}

/** Of which this host remembers something. */
export async function clustersOn({ session }: Reached): Promise<readonly string[]> {
  const { clusters } = await session.script<{ readonly clusters: readonly string[] }>(backupScript, {}, { verb: "look", timeout: 60_000 });
  return clusters;
}

/** No `up` of these clusters works on the host meanwhile: it would find an engine that does not run. */
export async function underLock<Result>(
  { key, session }: Reached,
  what: string,
  clusters: readonly string[],
  work: () => Promise<Result>,
): Promise<Result> {
  const locks: HostLock[] = [];
  try {
    for (const cluster of clusters) {
      const lock = await HostLock.take(session, {
        name: `pulumi-swarm-cluster.${decodeURIComponent(cluster)}`,
        holder: thisRun(what),
        wait: 0,
      });
      if (!(lock instanceof HostLock))
        throw new BackupProblem(`${key}: another run works on it: ${lock.heldBy}. Nothing was done. Fix: wait until it has ended, and run again`);
      locks.push(lock);
    }
    return await work();
  } finally {
    for (const lock of locks) lock.release();
  }
}

async function unlock({ key, api }: Reached, unlockKey: string, io: BackupIo): Promise<void> {
  const problem = (await unlockAll([{ key, api }], [unlockKey], { progress: (host, line) => io.progress(host ?? key, line) })).get(key);
  if (problem !== undefined) throw new BackupProblem(`${key}: ${problem}`);
}
