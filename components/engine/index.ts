import { setTimeout as sleep } from "node:timers/promises";
import { DockerApiError, DockerSilence } from "../remote/docker-api";
import type { EngineApi } from "../remote/engine-api";
import { loadHostScript, loadInstallingScript, loadScript, type ScriptValues } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import { whileWaiting, type WaitingIo } from "../waiting";
import { dockerRepository, type EngineArgs } from "./args";
import { type BridgePlan, daemonSettings, type EngineChanges, engineChanges, type EngineState, type Gwbridge } from "./bridges";
import type { Listening } from "./metrics";
import type { HostNeeds } from "./needs";
import { ownSettings } from "./own";
import type { Probe, ProbeScript } from "./preflight";
import { isOlder, versionNumbers } from "./version";

const probeScript = loadScript(__dirname, "probe.sh");
const packages = ["apt.sh", "dnf.sh", "packages.sh"] as const;
const engineScript = loadInstallingScript(__dirname, ...packages, "engine.sh");
const replaceScript = loadInstallingScript(__dirname, ...packages, "replace.sh");
/** Prints which tables of iptables lack Docker's own rules, by the function `tables_without_rules`. */
export const dockerRulesScript = loadScript(__dirname, "docker-rules.sh");
const bridgesScript = loadHostScript(__dirname, "docker-rules.sh", "bridges.sh");
const bridgesFile = [dockerRulesScript, loadScript(__dirname, "bridges.sh")].join("\n");

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

/** What else a first look asks on a host: functions of a script of its own, each of which prints JSON. So one look is one command. */
export interface ProbePart {
  readonly functions: readonly string[];
  /** The whole script. With the verb `probe` it does nothing. */
  readonly script: string;
  readonly values?: ScriptValues;
}

/** What is asked of a host at a first look. */
export interface ProbeArgs {
  /** @default - that it can make overlay networks */
  readonly needs?: HostNeeds;
  /** @default - nothing */
  readonly parts?: readonly ProbePart[];
}

/** A look at a host, and by function what the parts saw that were asked for. */
export interface Look<Also = unknown> extends Probe {
  readonly also: Also;
}

export async function probeHost<Also>(host: Omit<ProbedHost, "key">, { needs, parts = [] }: ProbeArgs = {}): Promise<Look<Also>> {
  const text = [...parts.map(({ script }) => script), probeScript].join("\n");
  const values = Object.assign({}, ...parts.map((part) => part.values ?? {}), {
    LOOK_FOR: needs?.features.join(" ") ?? "",
    ALSO: parts.flatMap(({ functions }) => functions).join(" "),
  }) as ScriptValues;
  const [seen, answer] = await Promise.all([
    host.session.script<ProbeScript & { readonly also: Also }>(text, values, { verb: "probe", timeout: 150_000 }),
    engineOf(host).catch((error: unknown) => {
      if (error instanceof DockerSilence) return error;
      throw error;
    }),
  ]);
  // Its socket takes calls from early in the boot on, and its engine answers them when it starts.
  if (answer instanceof DockerSilence) {
    if (seen.settingUp === "") throw answer;
    return { ...seen, engine: "", firewall: null };
  }
  // The script waits for an engine that is just starting.
  const engine = answer ?? (seen.cli && seen.settingUp === "" ? await engineOf(host) : undefined);
  return { ...seen, engine: engine ? `${engine.Version} ${engine.ApiVersion}` : "", firewall: engine ? await backendOf(host, engine, seen) : null };
}

interface EngineVersion {
  readonly Version: string;
  readonly ApiVersion: string;
}

/**
 * By the connection that all other questions to it take: its own program costs a host thirty times as much as the answer.
 *
 * @returns undefined where none answers.
 */
async function engineOf({ docker }: Pick<ProbedHost, "docker">): Promise<EngineVersion | undefined> {
  try {
    return await docker.get<EngineVersion>("/version", 60_000);
  } catch (error) {
    if (error instanceof DockerSilence) throw error;
    return undefined;
  }
}

/** Only engines from 29 on have more than one way. */
async function backendOf(
  { docker }: Pick<ProbedHost, "docker">,
  { Version }: EngineVersion,
  { swarmNftables }: ProbeScript,
): Promise<Probe["firewall"]> {
  const numbers = versionNumbers(Version);
  if (numbers && isOlder(numbers, [29])) return null;
  const { FirewallBackend: backend } = await docker.get<{ readonly FirewallBackend?: { readonly Driver?: string } | null }>("/info", 60_000);
  return { backend: backend?.Driver ?? "", swarm: swarmNftables };
}

/**
 * Looks at a host as it is once cloud-init is done with it: before that, the Docker that its user data installs is not there, and where
 * packages come from may change under whoever installs some.
 *
 * @param every Milliseconds between two looks.
 */
export async function probeSettled<Also>(
  host: ProbedHost,
  io: FirstLook,
  args: ProbeArgs = {},
  every: number = firstBoot.every,
): Promise<Look<Also>> {
  const first = await probeHost<Also>(host, args);
  if (first.settingUp === "") return first;
  return whileWaiting(io, host.key, "cloud-init to set the machine up", firstBootTimeout, async (seen) => {
    let probe = first;
    const until = Date.now() + firstBootTimeout;
    for (let looks = 0; probe.settingUp !== "" && looks < firstBoot.looks && Date.now() < until; looks++) {
      seen(probe.settingUp);
      await sleep(every);
      probe = await probeHost<Also>(host, args);
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
 * Replaces the engine by `engine.version`, and has apt or dnf hold it.
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

/** Has apt or dnf leave Docker's packages alone where the program names a version, and only there. Asks nothing where the first look saw that it is so. */
export async function holdEngine(
  session: Session,
  { version, source }: EngineArgs,
  { folders, apt, dnf }: Pick<Probe, "folders" | "apt" | "dnf">,
): Promise<void> {
  const held = folders.includes(heldFolder);
  if (version !== undefined && source !== "present" && (apt || dnf)) {
    if (!held || folders.includes(replacingFolder)) await session.script(replaceScript, {}, { verb: "hold", timeout: installTimeout });
  } else if (held) await releaseEngine(session);
}

/** Lets apt or dnf change Docker's packages again, where this package has held them. */
export async function releaseEngine(session: Session): Promise<void> {
  await session.script(replaceScript, {}, { verb: "release", timeout: 60_000 });
}

/** A host that is looked at. */
interface ProbedHost extends EngineHost {
  readonly key: string;
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
 * @param seen What a first look saw of it already, by {@link bridgesPart}.
 * @param listening Where it is to tell its metrics. @default - nowhere
 */
export async function pendingChanges(
  host: EngineHost,
  engine: EngineArgs,
  bridges?: BridgePlan,
  keepMembers = false,
  seen?: SeenBridges,
  listening?: Listening,
): Promise<EngineChanges> {
  if (!bridges && engine.metrics === undefined && Object.keys(ownSettings(engine)).length === 0) return { member: false, warnings: [] };
  const state = await lookAt(host, seen);
  const own = ownSettings(engine, listening, state.daemon);
  return keepMembers && state.swarm !== "inactive" ? engineChanges(state, own) : engineChanges(state, own, bridges);
}

/** The engine is asked by a connection that stands: to start its own program for each question costs more than the answer. */
async function lookAt({ session, docker }: EngineHost, before: SeenBridges | undefined): Promise<EngineState> {
  const seen = before ?? (await session.script<SeenBridges>(bridgesScript, {}, { verb: "look", timeout: 90_000 }));
  // One after the other: each that is asked beside another one starts a program of Docker on the host.
  const info = await docker.get<{ readonly Swarm: { readonly LocalNodeState: string } }>("/info", 60_000);
  const gwbridge = await docker.get<NonNullable<EngineState["gwbridge"]>>("/networks/docker_gwbridge").catch((error: unknown) => {
    if (error instanceof DockerApiError && error.status === 404) return null;
    throw error;
  });
  return { ...seen, daemon: daemonSettings(seen.daemon), swarm: info.Swarm.LocalNodeState, gwbridge };
}

/** What `bridges.sh` prints. `daemon` is the file, in base64. */
export type SeenBridges = Pick<EngineState, "unapplied" | "tablesWithoutRules"> & { readonly daemon: string };

/** Has a first look print {@link SeenBridges}. */
export const bridgesPart: ProbePart = { functions: ["bridges_seen"], script: bridgesFile };

/**
 * Writes `daemon.json` and restarts the engine. Its containers stop, and those with a restart policy start again.
 *
 * @param validate Whether Docker looks at the content before it gets it.
 */
export async function applySettings(session: SshSession, content: string, progress: (line: string) => void, validate = true): Promise<void> {
  const values = { CONTENT: content, VALIDATE: validate ? "yes" : "" };
  await session.script(engineScript, values, { verb: "configure", timeout: settingsTimeout, onProgress: progress });
}

/** Writes `daemon.json` and has the engine read it again, which no container notices. @returns whether the engine took it. */
export async function reloadSettings(session: Pick<SshSession, "script">, content: string): Promise<boolean> {
  const values = { CONTENT: content, VALIDATE: "yes" };
  const { reloaded } = await session.script<{ reloaded: boolean }>(engineScript, values, { verb: "reload", timeout: settingsTimeout });
  return reloaded;
}

/** Makes docker_gwbridge on a host that is no member of a swarm. */
export async function makeGwbridge(session: SshSession, { subnet = "", gateway = "", mtu }: Gwbridge): Promise<void> {
  await session.script(bridgesScript, { SUBNET: subnet, GATEWAY: gateway, MTU: String(mtu) }, { verb: "up", timeout: 3 * 60_000 });
}
