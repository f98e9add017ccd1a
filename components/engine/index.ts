import { isDeepStrictEqual } from "node:util";
import { loadScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import type { EngineArgs } from "./args";
import type { Probe } from "./preflight";

const probeScript = loadScript(__dirname, "probe.sh");
const engineScript = loadScript(__dirname, "engine.sh");

/** A package may come slowly; apt's own limits are inside the script. */
const installTimeout = 20 * 60_000;

export function probeHost(session: SshSession): Promise<Probe> {
  return session.script<Probe>(probeScript, {}, { verb: "probe", timeout: 60_000 });
}

export async function installEngine(session: SshSession, engine: EngineArgs, progress: (line: string) => void): Promise<string> {
  const { version } = await session.script<{ version: string }>(
    engineScript,
    { SOURCE: engine.source ?? "distribution", VERSION: engine.version ?? "" },
    { verb: "install", timeout: installTimeout, onProgress: progress },
  );
  return version;
}

/** @returns the new content of daemon.json, or undefined when it holds all settings already. */
export async function pendingSettings(session: SshSession, engine: EngineArgs): Promise<string | undefined> {
  if (!engine.settings || Object.keys(engine.settings).length === 0) return undefined;
  const present = await session.script<Record<string, unknown>>(engineScript, {}, { verb: "settings", timeout: 30_000 });
  const merged = { ...present, ...engine.settings };
  return isDeepStrictEqual(merged, present) ? undefined : JSON.stringify(merged, undefined, 2);
}

export async function applySettings(session: SshSession, content: string, progress: (line: string) => void): Promise<void> {
  await session.script(engineScript, { CONTENT: content }, { verb: "configure", timeout: 5 * 60_000, onProgress: progress });
}
