import * as pulumi from "@pulumi/pulumi";
import type { PlannedHost } from "./host";

/** A host in the preview: its inputs are the plan of it. The machine, where we make one, is its child. */
export class Host extends pulumi.ComponentResource {
  constructor(name: string, host: PlannedHost, opts?: pulumi.ComponentResourceOptions) {
    const { key: _key, place: _place, ...shown } = host;
    super("pulumi-swarm:index:Host", name, shown, opts);
    this.registerOutputs({});
  }
}
