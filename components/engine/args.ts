import { named, opaque, optional, options } from "../options";

/** How Docker comes onto the hosts. An engine that is already there is never replaced by another version. */
export interface EngineArgs {
  /**
   * Where Docker comes from on a host that has none: `distribution` is the host's own package (Debian and Ubuntu's
   * `docker.io`), `docker` is Docker's apt repository, `present` refuses such a host.
   * @default "distribution"
   */
  readonly source?: "present" | "distribution" | "docker";
  /**
   * Version that every host's engine must have, as a prefix: `28` or `28.5.2`. With source `docker` it is the version
   * installed. A host whose engine differs is refused before anything is changed.
   * @default - any from 20.10 on
   */
  readonly version?: string;
  /**
   * Keys of Docker's `daemon.json`. They are merged over what the file holds; other keys stay. A change restarts the
   * engine, one host after the other, waiting for each.
   * @default - the file is left alone
   */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export const engineOptions = options<EngineArgs>(
  { of: "engine", thing: "an engine", example: '{ version: "28" }' },
  { source: optional, version: optional, settings: named(opaque, "keys of daemon.json", '{ "log-driver": "local" }') },
);
