/** Pulumi's own type of what a state remembers. */
export const stashType = "pulumi:index:Stash";

/** A planned resource and its owner. */
export interface PlannedName {
  /**
   * Its type, after those of its parent components in the cluster, as in its URN:
   * `pulumi-swarm:index:Host$aws:ec2/instance:Instance`.
   */
  readonly type: string;
  /** Its name. */
  readonly name: string;
  /**
   * What it is made for, as the user knows it: `group edge`. Two things whose resources have the same name cannot both be made.
   */
  readonly of: string;
  /** The argument that names it: `hosts.edge`. */
  readonly path: string;
  /** What to do if something else has the name. @default - rename one of the two */
  readonly fix?: string;
  /**
   * Whether nothing else in the program may have the name: for hooks, and for resources that a cloud identifies by name.
   * @default false
   */
  readonly anywhere?: boolean;
}
