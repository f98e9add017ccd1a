import type { LocalSwarmState } from "../membership/swarm-api";
import type { Backup } from "./file";

const locked = "from a locked state Docker cannot recover a swarm (moby issue 36852)";

/** What is said of a backup when it is taken. Pure. */
export function warningOf({ unlockKey }: Backup): string | undefined {
  if (unlockKey === undefined) return undefined;
  return (
    `the swarm is locked (swarm.autolock), and ${locked}: restore refuses this file. ` +
    "Fix: set swarm.autolock to false, run up and backup, and set it back. The file is encrypted anyway"
  );
}

/** What a host that was reached says before a restore. */
export interface BeforeRestore {
  readonly key: string;
  /** Undefined where its engine does not answer. */
  readonly state: LocalSwarmState["state"] | undefined;
  /** The backup's managers that answer it, `address:port`. */
  readonly answering: readonly string[];
}

/** Why a backup is not restored, or undefined. Two swarms of one id must never be. Pure. */
export function whyNotRestored({ swarmId, unlockKey }: Backup, hosts: readonly BeforeRestore[]): string | undefined {
  if (unlockKey !== undefined)
    return (
      `the swarm was locked (swarm.autolock) when the backup was taken, and ${locked}. ` +
      "Fix: give a backup that was taken while swarm.autolock was off. Without one, set membership.abandonedSwarm to " +
      `"${swarmId}", and deploy again what was in it`
    );
  const members = hosts.flatMap(({ key, state }) => (state === undefined || state === "inactive" ? [] : key)).sort();
  if (members.length > 0)
    return (
      `${members.join(", ")} ${members.length === 1 ? "is" : "are"} in a swarm, and ${swarmId} must not be there twice. ` +
      'Fix: where most managers are lost, recover the swarm instead, see "A lost quorum" in docs/running.md; else run "docker swarm leave --force" there, and run again'
    );
  const living = hosts.flatMap(({ key, answering }) => answering.map((address) => `${address} answers ${key}`)).sort();
  if (living.length > 0)
    return (
      `a manager of ${swarmId} may be alive: ${living.join(", ")}. ` +
      'Fix: recover the swarm from it instead, see "A lost quorum" in docs/running.md; or switch that machine off permanently, and run again'
    );
  return undefined;
}
