import type { EngineArgs, LogLimits } from "./args";
import type { DaemonSettings } from "./bridges";
import { type Listening, metricsSettings } from "./metrics";
import { isRecord } from "../options";
import { type Report, show } from "../report";

/** Half a gigabyte for the logs of fifteen containers. */
export const defaultLogLimits = { maxSize: "10m", maxFile: 3 } as const;

/** Drivers that know both limits (docs.docker.com, Configure logging drivers). */
const limitedDrivers: readonly unknown[] = ["json-file", "local"];

/**
 * Keys of daemon.json that the program asks for: by options of their own, and as they are.
 *
 * @param host Where it is to tell its metrics. @default - nowhere
 * @param daemon What the file says.
 */
export function ownSettings(engine: EngineArgs, host?: Listening, daemon: DaemonSettings = {}): DaemonSettings {
  const { registryMirrors, logLimits, settings = {} } = engine;
  return {
    ...(host && metricsSettings(engine, host, daemon)),
    ...(registryMirrors && { "registry-mirrors": registryMirrors }),
    ...(logLimits && { "log-driver": "json-file", "log-opts": logOptions(logLimits) }),
    ...settings,
  };
}

/** Docker takes texts alone. */
function logOptions({ maxSize = defaultLogLimits.maxSize, maxFile = defaultLogLimits.maxFile }: LogLimits): Readonly<Record<string, string>> {
  return { "max-size": maxSize, "max-file": String(maxFile) };
}

export function checkOwnSettings({ registryMirrors, logLimits, metrics, settings = {} }: EngineArgs, report: Report): void {
  if (metrics !== undefined) sayOnce("metrics", "metrics-addr", settings, report);
  if (Array.isArray(registryMirrors))
    for (const [index, mirror] of registryMirrors.entries()) checkMirror(`engine.registryMirrors[${index}]`, mirror, report);
  if (registryMirrors !== undefined) sayOnce("registryMirrors", "registry-mirrors", settings, report);
  if (!isRecord(logLimits)) return;
  checkLimits(logLimits, report);
  sayOnce("logLimits", "log-opts", settings, report);
  const driver = settings["log-driver"];
  if (driver !== undefined && !limitedDrivers.includes(driver))
    report("engine.logLimits", `the log driver ${show(driver)} of engine.settings has no such limits`, "leave one of them out");
}

function sayOnce(option: string, key: string, settings: Readonly<Record<string, unknown>>, report: Report): void {
  if (settings[key] !== undefined) report(`engine.${option}`, `engine.settings has ${key} too`, "say it in one of both places");
}

/** As moby checks them: registry/config.go, ValidateMirror. */
function checkMirror(path: string, given: unknown, report: Report): void {
  const whole = 'write it such as "https://mirror.example.com"';
  const url = typeof given === "string" ? parsed(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) return report(path, `${show(given)} is not the address of a registry`, whole);
  if (url.username !== "" || url.password !== "")
    return report(path, "a mirror's address has a name or a password, which Docker refuses", "leave them out");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    report(path, `${show(given)} has more than a host and a port, which Docker refuses`, `write it as "${url.origin}"`);
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function checkLimits({ maxSize, maxFile }: Readonly<Record<string, unknown>>, report: Report): void {
  if (maxSize !== undefined && !(typeof maxSize === "string" && /^[1-9]\d*[kmg]$/.test(maxSize))) {
    const fix = typeof maxSize === "number" ? `write it with its unit, such as "${maxSize}m"` : 'write a number with k, m or g, such as "10m"';
    report("engine.logLimits.maxSize", `${show(maxSize)} is not a size`, fix);
  }
  if (maxFile !== undefined && !(Number.isInteger(maxFile) && (maxFile as number) >= 1))
    report("engine.logLimits.maxFile", `${show(maxFile)} is not a number of files`, "write a whole number such as 3");
}
