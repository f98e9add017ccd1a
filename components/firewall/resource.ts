import * as pulumi from "@pulumi/pulumi";
import type { FirewallRule as PlannedRule } from "./rule";

/** One allowed kind of traffic, in the preview. */
export class FirewallRule extends pulumi.ComponentResource {
  constructor(name: string, rule: PlannedRule, opts?: pulumi.ComponentResourceOptions) {
    const { name: _name, ...shown } = rule;
    super("pulumi-swarm:index:FirewallRule", name, shown, opts);
    this.registerOutputs({});
  }
}
