import type { EngineArgs } from "../../engine/args";
import { fetchPackages, lookAtMaintenance, noteMaintenance, packagesTimeout, upgradePackages } from "../../maintenance";
import { type DoneMaintenance, doneMaintenance, dueMaintenance, type DueMaintenance } from "../../maintenance/due";
import { whileWaiting } from "../../waiting";
import type { ReachedHost } from "../fleet";
import type { SwarmRequest } from "../request";
import { did, progress, waiting } from "../run";
import type { Looked } from "./look";

/** What is still to be done to a host as a whole, and what was done last. */
export interface Maintenance {
  readonly due: DueMaintenance;
  readonly done: DoneMaintenance;
}

/** What a host is in the swarm at the first look. */
export type Belonging =
  /** As a run of this cluster left it. */
  | "known member"
  /** Taken over: nothing of it is restarted by that. */
  | "other member"
  | "no member";

/**
 * Members wait for their turn in the walk. Who joins has nobody to wait for: its packages are upgraded at once, and the text of a reboot counts
 * as done. So does that of everything where a member is taken over.
 *
 * @returns nothing where nothing is asked for.
 */
export async function prepareMaintenance(
  host: Pick<Looked, "key" | "session" | "probe">,
  { maintenance = {} }: Pick<SwarmRequest, "maintenance">,
  belonging: Belonging,
): Promise<Maintenance | undefined> {
  const seen = host.probe.also.maintenance_seen;
  if (!seen) return undefined;
  const due = dueMaintenance(seen, maintenance);
  if (belonging === "known member") return { due, done: doneMaintenance(seen) };
  const texts = { ...(due.reboot?.kind === "asked" && { reboot: due.reboot.text }), ...(due.packages !== undefined && { packages: due.packages }) };
  if (belonging === "other member") {
    if (Object.keys(texts).length > 0) await noteMaintenance(host.session, texts);
    return { due: {}, done: { ...doneMaintenance(seen), ...texts } };
  }
  if (texts.reboot !== undefined) await noteMaintenance(host.session, { reboot: texts.reboot });
  if (texts.packages !== undefined && (await getPackages(host, texts.packages)) > 0) await installPackages(host, texts.packages);
  const now = await lookAtMaintenance(host.session);
  return { due: dueMaintenance(now, maintenance), done: doneMaintenance(now) };
}

/** They come onto the disk; nothing changes yet. @returns how many there are. */
export async function getPackages({ key, session }: Pick<ReachedHost, "key" | "session">, text: string): Promise<number> {
  return whileWaiting({ waiting }, key, "the upgrades of its packages", packagesTimeout, () =>
    fetchPackages(session, text, (line) => progress(key, line)),
  );
}

export async function installPackages({ key, session }: Pick<ReachedHost, "key" | "session">, text: string): Promise<void> {
  await whileWaiting({ waiting }, key, "its packages to be upgraded", packagesTimeout, () =>
    upgradePackages(session, text, (line) => progress(key, line)),
  );
  did(key, "packages upgraded");
}

/**
 * The version of an engine that was among the packages that were upgraded. Where the program names a version, they are held.
 *
 * @returns nothing where it cannot have changed, or does not answer yet.
 */
export async function engineAfter({ docker }: Pick<ReachedHost, "docker">, { version }: EngineArgs): Promise<string | undefined> {
  if (version !== undefined) return undefined;
  return docker.get<{ readonly Version: string }>("/version", 60_000).then(
    ({ Version }) => Version,
    () => undefined,
  );
}
