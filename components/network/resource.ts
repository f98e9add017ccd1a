import * as pulumi from "@pulumi/pulumi";
import type { EncryptionChannel } from "./encryption";
import type { PlannedSubnet } from "./subnets";

/**
 * A piece of address space and its owner, in the preview. It remembers where it was first, so that an edit that would
 * move it is noticed before anything is done.
 */
export class SubnetAssignment extends pulumi.ComponentResource {
  /** The address that is in use, or about to be. */
  readonly remembered: pulumi.Output<string>;

  constructor(name: string, subnet: PlannedSubnet, options: { readonly mayMove: boolean }, opts?: pulumi.ComponentResourceOptions) {
    const { pin: _pin, ...shown } = subnet;
    super("pulumi-swarm:index:SubnetAssignment", name, shown, opts);
    // A stash keeps its first value. Its input must not change either where the address must not move, or it could not be
    // replaced later by one that may.
    const memory = new pulumi.Stash(
      name,
      { input: subnet.cidr },
      { parent: this, ...(options.mayMove ? { replaceOnChanges: ["input"] } : { ignoreChanges: ["input"] }) },
    );
    this.remembered = memory.output as pulumi.Output<string>;
    this.registerOutputs({});
  }
}

/** One way that data takes, and what protects it there, in the preview. */
export class Encryption extends pulumi.ComponentResource {
  constructor(name: string, channel: EncryptionChannel, opts?: pulumi.ComponentResourceOptions) {
    super("pulumi-swarm:index:Encryption", name, { ...channel }, opts);
    this.registerOutputs({});
  }
}
