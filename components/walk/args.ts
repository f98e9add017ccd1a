import { flag, list, optional, options } from "../options";

/**
 * How hosts are taken out of service for a while, for whatever needs it: another version of Docker, settings with which the engine must
 * start again, upgrades of packages, reboots. Workers go first, then the managers one by one, and the leader last. Each host is drained, changed, and proven to reach its
 * neighbours before the next one begins. The first host that does not come back ends the walk; the next `up` continues it.
 */
export interface MaintenanceArgs {
  /**
   * Largest share of the workers that is out of service at once: `0.25` is a quarter. It is always one worker at least, and the first
   * one goes alone.
   * @default 0.1
   */
  readonly workersAway?: number;
  /**
   * Whether a host is drained before: its tasks move to other hosts, and `up` waits for them as long as `membership.drainSeconds` says.
   * Without it, tasks stop with the engine and start again when it is back, or elsewhere when the swarm misses them.
   * @default true
   */
  readonly drain?: boolean;
  /**
   * Keys of hosts that are drained for as long as they stand here, such as `["edge-2"]`: no task runs there, and `up` does not undo it.
   * When a key is removed, its host gets back the availability that it had before.
   * @default - none; a host that a person drained stays so too
   */
  readonly drained?: readonly string[];
  /**
   * Reboots each host once for each new text, such as the month: `"2026-12"`. `"if required"` instead reboots the hosts whose updates
   * need it (`/run/reboot-required`, or a kernel that was installed after the machine started), whenever an `up` works on the hosts;
   * another `membership.recheck` makes one do so. Hosts that join later take the text as done.
   * @default - none
   */
  readonly reboot?: string;
  /**
   * Upgrades all packages of each host once for each new text, such as the month: `"2026-12"`. By apt or dnf. Packages that
   * are held stay as they are, Docker's too where `engine.version` is set; none is removed, and changed configuration files stay. A host
   * without upgrades is left alone. Hosts that join later are upgraded before they join.
   * @default - none
   */
  readonly packages?: string;
  /**
   * Seconds that a host may take after a reboot until SSH answers again: 30 to 3600. Physical machines may take ten minutes.
   * @default 600
   */
  readonly rebootSeconds?: number;
}

export const maintenanceOptions = options<MaintenanceArgs>(
  { of: "maintenance", thing: "how hosts are taken out of service", example: "{ workersAway: 0.25 }" },
  { workersAway: optional, drain: flag, drained: list, reboot: optional, packages: optional, rebootSeconds: optional },
);

export const defaultWorkersAway = 0.1;
export const defaultRebootSeconds = 600;
