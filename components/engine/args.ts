import { named, opaque, optional, options } from "../options";

/** How Docker is installed on the hosts. An existing engine is never replaced by another version. */
export interface EngineArgs {
  /**
   * Where Docker comes from on a host without it. `distribution` is the host's own package (Debian and Ubuntu's `docker.io`),
   * `docker` is Docker's apt repository, `present` refuses such a host.
   * @default "distribution"
   */
  readonly source?: "present" | "distribution" | "docker";
  /**
   * Version that every host's engine must have, as a prefix: `28` or `28.5.2`. With the source `docker`, this version is
   * installed. A host with a different engine is refused before anything changes.
   * @default - any version from 20.10
   */
  readonly version?: string;
  /**
   * Keys of Docker's `daemon.json`. They are merged into the file; its other keys stay. A change restarts the engines, one host
   * after the other, and waits for each. Refused: `live-restore`, `hosts`, a relative `data-root`, and values of a kind with which the
   * engine would not start. The summary warns about keys that this package does not know.
   * @default - the file does not change
   */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export const engineOptions = options<EngineArgs>(
  { of: "engine", thing: "an engine", example: '{ version: "28" }', others: { config: "settings", daemon: "settings", daemonJson: "settings" } },
  { source: optional, version: optional, settings: named(opaque, "keys of daemon.json", '{ "log-driver": "local" }') },
);
