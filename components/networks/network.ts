/** Whether a Docker network may be called so; Docker's own names are taken. */
export function isNetworkName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/.test(name) && !["host", "none", "bridge", "ingress", "docker_gwbridge"].includes(name);
}

/** A network of the cluster as the plan has it. */
export interface PlannedNetwork {
  /** Docker's name of the network. */
  readonly name: string;
  /** Where its addresses lie. */
  readonly subnet: string;
  /** @default - each host has one of its own */
  readonly gateway?: string;
  /** Its part of each host's subnet, relative to that: `0.0.0.64/26`. @default - it has a subnet of its own */
  readonly slice?: string;
  /** Network of each host's own engine from which it takes its addresses. @default - it has a subnet of its own */
  readonly configFrom?: string;
  /** Docker network driver, which the overlay decides. */
  readonly driver: string;
  /** Whether its containers are kept from reaching the world by it. */
  readonly internal: boolean;
  /** Whether containers that are no service's may join it. */
  readonly attachable: boolean;
  /** Docker's labels on the network. */
  readonly labels: Readonly<Record<string, string>>;
  /** Options of the driver, the MTU among them. */
  readonly options: Readonly<Record<string, string>>;
}

/** A part of each host's subnet that belongs to one network. */
export interface NetworkSlice {
  /** Of the network. */
  readonly name: string;
  /** Relative to the host's subnet: `0.0.0.64/26`. */
  readonly slice: string;
}
