import { setTimeout as sleep } from "node:timers/promises";
import { DockerApiError } from "../remote/docker-api";
import type { EngineApi } from "../remote/engine-api";
import { loadHostScript, loadScript, type ScriptValues } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import { whileWaiting, type WaitingIo } from "../waiting";
import { dockerRepository, type EngineArgs } from "./args";
import { type BridgePlan, daemonSettings, type EngineChanges, engineChanges, type EngineState, type Gwbridge } from "./bridges";
import type { HostNeeds } from "./needs";
import type { Probe } from "./preflight";

const probeScript = loadScript(__dirname, "probe.sh");
const engineScript = loadHostScript(__dirname, "packages.sh", "engine.sh");
const replaceScript = loadHostScript(__dirname, "packages.sh", "replace.sh");
/** Prints which tables of iptables lack Docker's own rules, by the function `tables_without_rules`. */
export const dockerRulesScript = loadScript(__dirname, "docker-rules.sh");
const bridgesScript = loadHostScript(__dirname, "docker-rules.sh", "bridges.sh");

/** In milliseconds. A package may come slowly; apt's own limits are inside the script. */
export const installTimeout = 20 * 60_000;
/** For the engine to stop its containers and to be back. */
export const settingsTimeout = 5 * 60_000;

/**
 * For cloud-init at a machine's first boot. Some install and upgrade much; none may keep a run for good, since what it does may wait for the
 * swarm itself.
 */
const firstBoot = { every: 3_000, looks: 200 } as const;
const firstBootTimeout = firstBoot.every * firstBoot.looks;

/** Where a first look tells how far it is. */
export interface FirstLook extends WaitingIo {
  progress(host: string, line: string): void;
}

export function probeHost(session: Pick<SshSession, "script">, needs?: HostNeeds): Promise<Probe> {
  return session.script<Probe>(probeScript, { LOOK_FOR: needs?.features.join(" ") ?? "" }, { verb: "probe", timeout: 150_000 });
}

/**
 * Looks at a host as it is once cloud-init is done with it: before that, the Docker that its user data installs is not there, and where
 * packages come from may change under whoever installs some.
 *
 * @param every Milliseconds between two looks.
 */
export async function probeSettled(host: ProbedHost, io: FirstLook, needs?: HostNeeds, every: number = firstBoot.every): Promise<Probe> {
  const first = await probeHost(host.session, needs);
  if (first.settingUp === "") return first;
  return whileWaiting(io, host.key, "cloud-init to set the machine up", firstBootTimeout, async (seen) => {
    let probe = first;
    for (let looks = 0; probe.settingUp !== "" && looks < firstBoot.looks; looks++) {
      seen(probe.settingUp);
      await sleep(every);
      probe = await probeHost(host.session, needs);
    }
    if (probe.settingUp !== "") io.progress(host.key, `warning: ${unfinished(probe.settingUp)}`);
    return probe;
  });
}

function unfinished(unit: string): string {
  return `cloud-init is not done after ${firstBootTimeout / 60_000} minutes (${unit}), and is not waited for any longer; "cloud-init status --long" on the host says more`;
}

export async function installEngine(session: SshSession, engine: EngineArgs, progress: (line: string) => void): Promise<string> {
  const { version } = await session.script<{ version: string }>(engineScript, sourceOf(engine), {
    verb: "install",
    timeout: installTimeout,
    onProgress: progress,
  });
  return version;
}

function sourceOf({ source = "distribution", version = "", repository = dockerRepository }: EngineArgs): ScriptValues {
  return { SOURCE: source, VERSION: version, REPOSITORY: repository };
}

type Session = Pick<SshSession, "script">;

/**
 * Gets the packages of `engine.version` onto the host's disk, so that replacing them takes no longer than it must. Installs nothing.
 *
 * @returns whether the packages that are there now could be kept too, to put them back.
 */
export async function fetchEngine(session: Session, engine: EngineArgs, progress: (line: string) => void): Promise<boolean> {
  const { before } = await session.script<{ before: boolean }>(replaceScript, sourceOf(engine), {
    verb: "fetch",
    timeout: installTimeout,
    onProgress: progress,
  });
  return before;
}

/**
 * Replaces the engine by `engine.version`, and has apt hold it.
 *
 * @returns its version. @throws what runs there then: the version before, or nothing.
 */
export async function replaceEngine(session: Session, engine: EngineArgs, progress: (line: string) => void): Promise<string> {
  const { version } = await session.script<{ version: string }>(replaceScript, sourceOf(engine), {
    verb: "replace",
    timeout: 2 * installTimeout,
    onProgress: progress,
  });
  return version;
}

/** Folders in `/etc/pulumi-swarm`: see packages.sh. */
const [heldFolder, replacingFolder] = ["engine-held", "engine-replacing"];

/** Has apt leave Docker's packages alone where the program names a version, and only there. Asks nothing where the first look saw that it is so. */
export async function holdEngine(session: Session, { version, source }: EngineArgs, { folders, apt }: Pick<Probe, "folders" | "apt">): Promise<void> {
  const held = folders.includes(heldFolder);
  if (version !== undefined && source !== "present" && apt) {
    if (!held || folders.includes(replacingFolder)) await session.script(replaceScript, {}, { verb: "hold", timeout: installTimeout });
  } else if (held) await releaseEngine(session);
}

/** Lets apt change Docker's packages again, where this package has held them. */
export async function releaseEngine(session: Session): Promise<void> {
  await session.script(replaceScript, {}, { verb: "release", timeout: 60_000 });
}

/** A host that is asked by scripts. */
interface ProbedHost {
  readonly key: string;
  readonly session: Pick<SshSession, "script">;
}

/** A host that is asked by scripts and by its engine's API. */
interface EngineHost {
  readonly session: Pick<SshSession, "script">;
  readonly docker: Pick<EngineApi, "get">;
}

/**
 * What a host whose engine runs lacks of the user's settings and the planned bridges. Changes nothing.
 *
 * @param keepMembers Members of a swarm keep the bridges that they have.
 */
export async function pendingChanges(host: EngineHost, engine: EngineArgs, bridges?: BridgePlan, keepMembers = false): Promise<EngineChanges> {
  const own = engine.settings ?? {};
  if (!bridges && Object.keys(own).length === 0) return { member: false, warnings: [] };
  const state = await lookAt(host);
  return keepMembers && state.swarm !== "inactive" ? engineChanges(state, own) : engineChanges(state, own, bridges);
}

/** The engine is asked by a connection that stands: to start its own program for each question costs more than the answer. */
async function lookAt({ session, docker }: EngineHost): Promise<EngineState> {
  const [seen, info, gwbridge] = await Promise.all([
    session.script<Omit<EngineState, "daemon" | "swarm" | "gwbridge"> & { readonly daemon: string }>(
      bridgesScript,
      {},
      { verb: "look", timeout: 90_000 },
    ),
    docker.get<{ readonly Swarm: { readonly LocalNodeState: string } }>("/info", 60_000),
    docker.get<NonNullable<EngineState["gwbridge"]>>("/networks/docker_gwbridge").catch((error: unknown) => {
      if (error instanceof DockerApiError && error.status === 404) return null;
      throw error;
    }),
  ]);
  return { ...seen, daemon: daemonSettings(seen.daemon), swarm: info.Swarm.LocalNodeState, gwbridge };
}

/** Writes `daemon.json` and restarts the engine. Its containers stop, and those with a restart policy start again. */
export async function applySettings(session: SshSession, content: string, progress: (line: string) => void): Promise<void> {
  await session.script(engineScript, { CONTENT: content }, { verb: "configure", timeout: settingsTimeout, onProgress: progress });
}

/** Makes docker_gwbridge on a host that is no member of a swarm. */
export async function makeGwbridge(session: SshSession, { subnet = "", gateway = "", mtu }: Gwbridge): Promise<void> {
  await session.script(bridgesScript, { SUBNET: subnet, GATEWAY: gateway, MTU: String(mtu) }, { verb: "up", timeout: 3 * 60_000 });
}
