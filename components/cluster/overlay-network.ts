import * as pulumi from "@pulumi/pulumi";
import type { NetworkRequest } from "../agents/request";
import type { PlannedNetwork } from "../networks/network";
import { managed, type ManagedArgs } from "./managed";

export interface OverlayNetworkArgs extends ManagedArgs {
  readonly network: PlannedNetwork;
  /** Kind of the overlay that carries it. */
  readonly overlay: string;
}

/** One network across the swarm. Its inputs are the plan of it, for the preview to show. */
export class OverlayNetwork extends pulumi.ComponentResource {
  /** Docker's id of the network. */
  readonly networkId: pulumi.Output<string>;

  constructor(name: string, args: OverlayNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("pulumi-swarm:index:OverlayNetwork", name, { ...args.network }, opts);
    const { name: network, ...spec } = args.network;
    const own = { name: network, spec, ...(spec.configFrom !== undefined && { overlay: args.overlay }) };
    this.networkId = managed<NetworkRequest>("network", name, args, own, this);
    this.registerOutputs({ networkId: this.networkId });
  }
}
