import { loadInstallingScript, loadScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import type { AskedMaintenance, SeenMaintenance } from "./due";

const file = loadScript(__dirname, "maintenance.sh");
const script = loadInstallingScript(__dirname, "maintenance.sh");

/** For an upgrade of all packages, in milliseconds: one wait for others that install some, and what the script itself allows. */
export const packagesTimeout = 75 * 60_000;
const timeout = 60_000;

type Session = Pick<SshSession, "script">;
type Say = (line: string) => void;

/** Has a first look print {@link SeenMaintenance}. */
export const maintenancePart = { functions: ["maintenance_seen"], script: file } as const;

export function lookAtMaintenance(session: Session): Promise<SeenMaintenance> {
  return session.script<SeenMaintenance>(script, {}, { verb: "look", timeout });
}

/**
 * Gets the upgrades of all packages onto the disk. Installs nothing.
 *
 * @returns how many there are. Where there are none, the text counts as done.
 */
export async function fetchPackages(session: Session, text: string, onProgress: Say): Promise<number> {
  const { count } = await session.script<{ readonly count: number }>(script, valueOf(text), { verb: "fetch", timeout: packagesTimeout, onProgress });
  return count;
}

/** Upgrades all packages but those that are held. */
export async function upgradePackages(session: Session, text: string, onProgress: Say): Promise<void> {
  await session.script(script, valueOf(text), { verb: "upgrade", timeout: packagesTimeout, onProgress });
}

/**
 * Has the machine restart, two seconds after the answer.
 *
 * @param text Counts as done as soon as the machine has restarted, whoever sees that. @default - nothing does
 * @returns what {@link SeenMaintenance.boot} is until then.
 */
export async function beginReboot(session: Session, text?: string): Promise<string> {
  const { boot } = await session.script<Pick<SeenMaintenance, "boot">>(script, valueOf(text), { verb: "reboot", timeout });
  return boot;
}

/** Has texts count as done. */
export async function noteMaintenance(session: Session, { reboot, packages }: AskedMaintenance): Promise<void> {
  await session.script(script, { REBOOT: json(reboot), PACKAGES: json(packages) }, { verb: "note", timeout });
}

export async function forgetMaintenance(session: Session): Promise<void> {
  await session.script(script, {}, { verb: "forget", timeout });
}

function valueOf(text: string | undefined): { readonly TEXT: string } {
  return { TEXT: json(text) };
}

function json(text: string | undefined): string {
  return text === undefined ? "" : JSON.stringify(text);
}
