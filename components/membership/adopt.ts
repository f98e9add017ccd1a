import { flag, options, required } from "../options";

/** An existing swarm that somebody else created, for this package to manage from now on. */
export interface AdoptArgs {
  /**
   * Id of the swarm, from `docker info --format '{{.Swarm.Cluster.ID}}'` on a manager. If the hosts are in another swarm, or in
   * none, it is refused.
   */
  readonly swarmId: string;
  /**
   * Whether a destroy takes the hosts out of the swarm, as for a swarm that this package created. Without it, the swarm and its
   * services continue, and only this package's additions (firewall, overlay programs) are removed.
   * @default false
   */
  readonly dissolve?: boolean;
  /**
   * Whether previews inspect the swarm, through the first manager, and warn about what an `up` would change or find different.
   * Only with this option does a preview connect to a host, so it needs the same connection and key as an `up`.
   * @default false
   */
  readonly look?: boolean;
}

export const adoptOptions = options<AdoptArgs>(
  { of: "adopt", thing: "a swarm that exists", example: '{ swarmId: "…" }' },
  { swarmId: required, dissolve: flag, look: flag },
);
