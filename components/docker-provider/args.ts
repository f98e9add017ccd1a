import type * as pulumi from "@pulumi/pulumi";
import type { Transform } from "../transform";
import { opaque, options, text } from "../options";

/**
 * How the provider of `@pulumi/docker` reaches the swarm. It starts the `ssh` program (OpenSSH 8.5 or newer) of the machine that
 * runs Pulumi. `ssh` takes a private key only from an agent or a file.
 */
export interface DockerProviderArgs {
  /** Key of the manager to connect to. @default - the first manager */
  readonly host?: string;
  /**
   * File with the private key, for `ssh` to read. Not together with `writeKeyTo`.
   * @default - `ssh` uses the agent of the host's group, or the one that `SSH_AUTH_SOCK` names
   */
  readonly keyFile?: string;
  /**
   * File for the host's own private key. Each run of the program writes it, readable only by its owner. The key is then in clear
   * text on this machine's disk, so keep it out of version control. `local` hosts need it, because their key is only in Pulumi's
   * state. `pulumi destroy` on a machine without the file needs `--run-program`. Not together with `keyFile`.
   * @default - no key is written
   */
  readonly writeKeyTo?: string;
  /** Last changes to the provider's arguments, such as `registryAuth`. */
  readonly transform?: Transform<DockerProviderSettings>;
}

/** Arguments of the provider, as `docker.ProviderArgs` has them. */
export interface DockerProviderSettings {
  /** Address of the manager's Docker, with `ssh://`. */
  readonly host: pulumi.Input<string>;
  /** Options of the `ssh` program: the pinned host key, and the place of the private key. */
  readonly sshOpts: pulumi.Input<string[]>;
  /** Any other argument of the provider. */
  readonly [argument: string]: unknown;
}

export const dockerProviderOptions = options<DockerProviderArgs>(
  { of: "dockerProvider", thing: "a provider for Docker", example: 'dockerProvider({ host: "control-1" })' },
  { host: text, keyFile: text, writeKeyTo: text, transform: opaque },
);
