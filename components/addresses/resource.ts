import * as pulumi from "@pulumi/pulumi";
import type { EncryptionChannel } from "./encryption";
import type { PlannedSubnet } from "./subnets";

/**
 * A part of the address space and its owner, in the preview. It records its first place, so that an edit that would move it is
 * detected before anything changes.
 */
export class SubnetAssignment extends pulumi.ComponentResource {
  /** The address that is in use, or will be. Undefined if nothing of its own could move it. */
  readonly remembered: pulumi.Output<string> | undefined;

  constructor(
    name: string,
    subnet: Omit<PlannedSubnet, "cidr"> & { readonly cidr: pulumi.Input<string> },
    options: { readonly remember: boolean; readonly mayMove: boolean },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const { pin: _pin, ...shown } = subnet;
    super("pulumi-swarm:index:SubnetAssignment", name, shown, opts);
    this.remembered = options.remember ? this.remember(name, subnet.cidr, options.mayMove) : undefined;
    this.registerOutputs({});
  }

  /**
   * A stash keeps its first value. Its input must not change either where the address must not move, or it could not be
   * replaced later by one that may.
   */
  private remember(name: string, cidr: pulumi.Input<string>, mayMove: boolean): pulumi.Output<string> {
    const options = { parent: this, ...(mayMove ? { replaceOnChanges: ["input"] } : { ignoreChanges: ["input"] }) };
    return new pulumi.Stash(name, { input: cidr }, options).output as pulumi.Output<string>;
  }
}

/** One channel that carries data, and what protects it there, in the preview. */
export class Encryption extends pulumi.ComponentResource {
  constructor(name: string, channel: EncryptionChannel, opts?: pulumi.ComponentResourceOptions) {
    super("pulumi-swarm:index:Encryption", name, { ...channel }, opts);
    this.registerOutputs({});
  }
}
