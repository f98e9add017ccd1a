import { flag, list, named, opaque, optional, options } from "../options";

/** How Docker is installed on the hosts, and in which version. */
export interface EngineArgs {
  /**
   * Where Docker comes from on a host without it. `distribution` is the host's own package (Debian and Ubuntu's `docker.io`,
   * Fedora's `moby-engine`, Amazon Linux's `docker`; RHEL and its relatives have none), `docker` is Docker's repository, `present` refuses
   * such a host.
   * @default "distribution"
   */
  readonly source?: "present" | "distribution" | "docker";
  /**
   * Version that every host's engine must have, as a prefix: `28` or `28.5.2`. With the source `docker`, this version is
   * installed. A host with an older engine gets this version from the source: hosts of the swarm one after the other, as
   * `maintenance` says, others before they join. From then on, apt or dnf holds Docker's packages, so that no unattended upgrade
   * restarts the engines of two managers at once. With the source `present`, and where there is neither apt-get nor dnf, such a host is
   * refused before anything changes.
   * @default - any version from 20.10, and nothing is held
   */
  readonly version?: string;
  /**
   * Version, as a prefix, that may be replaced by an older one. Docker does not support that: an older engine may not read what a newer
   * one wrote. Without it, a host whose engine is newer than `version` is refused before anything changes.
   * @default - none
   */
  readonly downgradeFrom?: string;
  /**
   * A copy of Docker's repositories: the folder that has `debian` and `ubuntu`, or `rhel`, `centos` and `fedora`, with their files `gpg`,
   * as `https://…` or `file:///…` on the hosts. Only with the source `docker`.
   * @default "https://download.docker.com/linux"
   */
  readonly repository?: string;
  /**
   * Keys of Docker's `daemon.json`. They are merged into the file; its other keys stay. A change restarts the engines, one host
   * after the other, as `maintenance` says. Refused: `live-restore`, `hosts`, a relative `data-root`, and values of a kind with which the
   * engine would not start. The summary warns about keys that this package does not know.
   * @default - the file does not change
   */
  readonly settings?: Readonly<Record<string, unknown>>;
  /**
   * Registries from which the engines pull images of Docker Hub before they ask the Hub itself, such as `["https://mirror.example.com"]`:
   * `registry-mirrors` of `daemon.json`. Members of the swarm read a change at once, without a restart.
   * @default - none
   */
  readonly registryMirrors?: readonly string[];
  /**
   * How much of each container's log a host keeps: `max-size` and `max-file` of the log driver `json-file`, or of the one in
   * `settings["log-driver"]`. `{}` keeps 30 MB. It holds for containers that are made later. A change restarts the engines, as that
   * of `settings` does.
   * @default - no limit, as is Docker's own default: the logs can fill a host's disk
   */
  readonly logLimits?: LogLimits;
  /**
   * Docker's own metrics for Prometheus, on port 9323 of each host's address on the underlay (`metrics-addr` of `daemon.json`). `true` opens
   * it to the cluster's hosts by the rule `metrics`; `firewall.rules.metrics` names other sources, such as
   * `{ from: ["members", "203.0.113.7/32"] }`. With `wireguard()`, it is open in the tunnel alone. The output `prometheus` has the line for
   * Prometheus. `false` turns it off. A change restarts the engines, as that of `settings` does.
   * @default - the file does not change, and no rule opens it
   */
  readonly metrics?: boolean;
}

/** How much of each container's log is kept. */
export interface LogLimits {
  /** Largest size of one file, with its unit: `k`, `m` or `g`. @default "10m" */
  readonly maxSize?: string;
  /** Largest number of files; when there are more, the oldest is deleted. @default 3 */
  readonly maxFile?: number;
}

const logLimitOptions = options<LogLimits>(
  { of: "log limits", thing: "limits of logs", example: '{ maxSize: "10m" }', others: { size: "maxSize", files: "maxFile" } },
  { maxSize: optional, maxFile: optional },
);

export const engineOptions = options<EngineArgs>(
  {
    of: "engine",
    thing: "an engine",
    example: '{ version: "28" }',
    others: { config: "settings", daemon: "settings", daemonJson: "settings", mirrors: "registryMirrors", logs: "logLimits", logging: "logLimits" },
  },
  {
    source: optional,
    version: optional,
    downgradeFrom: optional,
    repository: optional,
    settings: named(opaque, "keys of daemon.json", '{ "log-driver": "local" }'),
    registryMirrors: list,
    logLimits: logLimitOptions,
    metrics: flag,
  },
);

export const dockerRepository = "https://download.docker.com/linux";
