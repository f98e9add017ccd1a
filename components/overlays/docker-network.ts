/** Networks that each engine has, or each swarm. */
export const dockersOwn: readonly string[] = ["host", "none", "bridge", "ingress", "docker_gwbridge"];

/** Whether a Docker network may be called so; Docker's own names are taken. */
export function isNetworkName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/.test(name) && !dockersOwn.includes(name);
}

/** A part of each host's subnet that belongs to one network. */
export interface NetworkSlice {
  /** Name of the network. */
  readonly name: string;
  /** Relative to the host's subnet: `0.0.0.64/26`. */
  readonly slice: string;
}

/** Name of a host's own network that holds where in the host's subnet a network of the swarm lies. */
export function hostNetworkOf(network: string): string {
  return `pulumi-swarm-${network}`;
}
