import { flag, options, required } from "../options";

/** A swarm that somebody else formed, and that is to be looked after from now on. */
export interface AdoptArgs {
  /** Its id: `docker info --format '{{.Swarm.Cluster.ID}}'` on a manager prints it. Another swarm, or none, on the hosts is refused. */
  readonly swarmId: string;
  /**
   * Whether a destroy takes the hosts out of the swarm, as it does with one that was formed here. Without it the swarm and its
   * services live on, and only what was put beside them (firewall, overlay programs) goes.
   * @default false
   */
  readonly dissolve?: boolean;
  /**
   * Whether previews look at the swarm, by the first manager, and warn of what an `up` would change or find otherwise. This is the only
   * case in which a preview dials a host, so it needs the way there and the key that an `up` needs.
   * @default false
   */
  readonly look?: boolean;
}

export const adoptOptions = options<AdoptArgs>(
  { of: "adopt", thing: "a swarm that exists", example: '{ swarmId: "…" }' },
  { swarmId: required, dissolve: flag, look: flag },
);
