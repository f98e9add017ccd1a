import * as pulumi from "@pulumi/pulumi";
import type { NetworkRequest } from "../agents/request";
import type { PlannedNetwork } from "../networks/network";
import { managed, type ManagedArgs } from "./managed";

export interface OverlayNetworkArgs extends ManagedArgs {
  readonly network: Omit<PlannedNetwork, "slice"> & { readonly slice?: pulumi.Input<string> };
  /** Kind of the overlay that carries it. */
  readonly overlay: string;
  /** Whether its deletion leaves it where something uses it, as in a swarm that lives on. @default false */
  readonly keepUsed?: boolean;
}

/** One network across the swarm. Its inputs are the plan of it, for the preview to show. */
export class OverlayNetwork extends pulumi.ComponentResource {
  /** Docker's id of the network. */
  readonly networkId: pulumi.Output<string>;

  constructor(name: string, args: OverlayNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("pulumi-swarm:index:OverlayNetwork", name, { ...args.network }, opts);
    const { name: network, ...spec } = args.network;
    // Networks of flannel name none, as those of 0.1.0 did, so that an upgrade has nothing to do.
    const named = spec.configFrom !== undefined && args.overlay !== "flannel";
    const own = { name: network, spec, ...(named && { overlay: args.overlay }), ...(args.keepUsed && { keepUsed: true }) };
    this.networkId = managed<NetworkRequest>("network", name, args, own, this);
    this.registerOutputs({ networkId: this.networkId });
  }
}
