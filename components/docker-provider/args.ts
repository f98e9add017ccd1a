import type * as pulumi from "@pulumi/pulumi";
import type { Transform } from "../transform";
import { opaque, options, text } from "../options";

/**
 * How the provider of `@pulumi/docker` reaches the swarm. It starts the `ssh` program of the machine that Pulumi runs on (OpenSSH
 * 8.5 or newer), which takes a private key from an agent or from a file, and from nowhere else.
 */
export interface DockerProviderArgs {
  /** Key of the manager to work through. @default - the first manager */
  readonly host?: string;
  /**
   * File that holds the private key, for `ssh` to read. Not beside `writeKeyTo`.
   * @default - keys are asked of the agent: that of the host's group, or the one that `SSH_AUTH_SOCK` names
   */
  readonly keyFile?: string;
  /**
   * File into which the host's own private key is written, for its owner alone, whenever the program runs: it is then on this
   * machine's disk in the clear, so keep it out of version control. Hosts that are `local` need it, as their key is in Pulumi's state
   * only. `pulumi destroy` on a machine without the file needs `--run-program`. Not beside `keyFile`.
   * @default - no key is written anywhere
   */
  readonly writeKeyTo?: string;
  /** Last say over the provider's arguments, such as `registryAuth`. */
  readonly transform?: Transform<DockerProviderSettings>;
}

/** Arguments of the provider, as `docker.ProviderArgs` has them. */
export interface DockerProviderSettings {
  /** Docker's address of the manager, by `ssh://`. */
  readonly host: pulumi.Input<string>;
  /** Options of the `ssh` program: the pinned host key, and where the private key is. */
  readonly sshOpts: pulumi.Input<string[]>;
  /** Any other argument of the provider. */
  readonly [argument: string]: unknown;
}

export const dockerProviderOptions = options<DockerProviderArgs>(
  { of: "dockerProvider", thing: "a provider for Docker", example: 'dockerProvider({ host: "control-1" })' },
  { host: text, keyFile: text, writeKeyTo: text, transform: opaque },
);
