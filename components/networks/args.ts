import { flag, labels, optional, options } from "../options";

/** An overlay network across all hosts of the swarm. */
export interface NetworkArgs {
  /**
   * Its subnet in CIDR form. Set it to keep the network at this address.
   * With `flannel()` and `calico()` it is written relative to each host's subnet: `0.0.0.64/26`.
   * @default - a block of the cluster's address space that follows from the network's name
   */
  readonly subnet?: string;
  /**
   * Prefix length of the subnet if `subnet` is not set, 16 to 28. Each task and each service takes an address, and with `native()` also each
   * host that runs a task.
   * @default 24
   */
  readonly prefix?: number;
  /** No outside access: containers reach only each other. @default false */
  readonly internal?: boolean;
  /** Whether containers that are not part of a service may join. @default true */
  readonly attachable?: boolean;
  /** Docker labels. @default - none but the package's own */
  readonly labels?: Readonly<Record<string, string>>;
}

export const networkOptions = options<NetworkArgs>(
  { of: "a network", thing: "a network", example: "{} for one with all defaults", others: { cidr: "subnet", external: null } },
  { subnet: optional, prefix: optional, internal: flag, attachable: flag, labels },
);
