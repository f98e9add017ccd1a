import * as pulumi from "@pulumi/pulumi";
import type { PlannedPeer } from "./peers";

/** A router outside the cluster, what hosts tell it, and what they take from it, in the preview. */
export class BgpPeer extends pulumi.ComponentResource {
  constructor(
    name: string,
    peer: Omit<PlannedPeer, "announces"> & { readonly announces: pulumi.Input<PlannedPeer["announces"]> },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const { name: router, ...shown } = peer;
    super("pulumi-swarm:index:BgpPeer", name, { router, ...shown }, opts);
    this.registerOutputs({});
  }
}
