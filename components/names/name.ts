import type { PlannedHost, RulesContext } from "../hosts/host";

/** Pulumi's own type of what a state remembers. */
export const stashType = "pulumi:index:Stash";

/** What the names of a group's resources depend on. */
export interface NamesContext extends RulesContext {
  /** Name of the cluster, the prefix of all resource names. */
  readonly cluster: string;
  /** Those of the group. */
  readonly hosts: readonly Pick<PlannedHost, "key" | "place" | "zone">[];
}

/** A resource that is to be made, and whose it is. */
export interface PlannedName {
  /**
   * Its type, after those of the components above it that belong to the cluster, as in its URN:
   * `pulumi-swarm:index:Host$aws:ec2/instance:Instance`.
   */
  readonly type: string;
  /** Its name. */
  readonly name: string;
  /** For what it is made, as the user knows it: `group edge`. Things whose resources have one name cannot both be made. */
  readonly of: string;
  /** The argument that names it: `hosts.edge`. */
  readonly path: string;
  /** What to do where something else has the name. @default - rename one of both */
  readonly fix?: string;
  /** Whether nothing else may have the name, whatever it is a part of: hooks, and what a cloud tells apart by names. @default false */
  readonly anywhere?: boolean;
}
