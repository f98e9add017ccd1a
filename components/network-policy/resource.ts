import * as pulumi from "@pulumi/pulumi";
import type { NetworkPolicy as PlannedPolicy } from "./policy";

/** Who may connect to containers of some networks, in the preview. */
export class NetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, policy: PlannedPolicy, opts?: pulumi.ComponentResourceOptions) {
    const { name: called, ...shown } = policy;
    super("pulumi-swarm:index:NetworkPolicy", name, { policy: called, ...shown }, opts);
    this.registerOutputs({});
  }
}
