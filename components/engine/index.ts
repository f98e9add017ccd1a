import { DockerApiError } from "../remote/docker-api";
import type { EngineApi } from "../remote/engine-api";
import { loadHostScript, loadScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import type { EngineArgs } from "./args";
import { type BridgePlan, daemonSettings, type EngineChanges, engineChanges, type EngineState, type Gwbridge } from "./bridges";
import type { HostNeeds } from "./needs";
import type { Probe } from "./preflight";

const probeScript = loadScript(__dirname, "probe.sh");
const engineScript = loadHostScript(__dirname, "engine.sh");
const bridgesScript = loadHostScript(__dirname, "bridges.sh");

/** In milliseconds. A package may come slowly; apt's own limits are inside the script. */
export const installTimeout = 20 * 60_000;
/** For the engine to stop its containers and to be back. */
export const settingsTimeout = 5 * 60_000;

export function probeHost(session: SshSession, needs?: HostNeeds): Promise<Probe> {
  return session.script<Probe>(probeScript, { LOOK_FOR: needs?.features.join(" ") ?? "" }, { verb: "probe", timeout: 150_000 });
}

export async function installEngine(session: SshSession, engine: EngineArgs, progress: (line: string) => void): Promise<string> {
  const { version } = await session.script<{ version: string }>(
    engineScript,
    { SOURCE: engine.source ?? "distribution", VERSION: engine.version ?? "" },
    { verb: "install", timeout: installTimeout, onProgress: progress },
  );
  return version;
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
