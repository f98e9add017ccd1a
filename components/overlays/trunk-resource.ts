import * as pulumi from "@pulumi/pulumi";
import type { PlannedTrunk } from "./trunks";

/** A VLAN of the user's own switch whose machines take part in a network of the cluster, in the preview. */
export class VlanTrunk extends pulumi.ComponentResource {
  constructor(name: string, planned: PlannedTrunk, opts?: pulumi.ComponentResourceOptions) {
    const { name: trunk, ...shown } = planned;
    super("pulumi-swarm:index:VlanTrunk", name, { trunk, ...shown }, opts);
    this.registerOutputs({});
  }
}
