import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { answerOf, logWarnings } from "../agents/answer";
import { agentCommand } from "../agents/program";
import type { NetworkRequest } from "../agents/request";
import type { NetworkResponse } from "../networks/api";
import type { PlannedNetwork } from "../networks/network";
import { type Transform, transformed } from "../transform";
import type { Connection } from "../remote/connection";

/** What the swarm keeps for the cluster, made through any of its managers. */
export interface ManagedArgs {
  readonly cluster: string;
  readonly managers: pulumi.Input<readonly { readonly key: string; readonly connection: Connection }[]>;
  readonly reachableSeconds: number;
  readonly recheck?: string;
  readonly transform?: Transform<local.CommandArgs>;
}

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
    const { cluster, managers, overlay, reachableSeconds, recheck } = args;
    const request = pulumi.output(managers).apply((known): string => {
      const asked: NetworkRequest = {
        cluster,
        name: network,
        spec,
        ...(spec.configFrom !== undefined && { overlay }),
        managers: known,
        reachableSeconds,
        ...(recheck !== undefined && { recheck }),
      };
      return JSON.stringify(asked);
    });
    const command = new local.Command(name, transformed(args.transform, agentCommand("network-up", "network-down", pulumi.secret(request))), {
      parent: this,
    });
    logWarnings(command.stdout, this);
    this.networkId = pulumi.unsecret(command.stdout).apply((stdout) => answerOf<NetworkResponse>(stdout, "network-up").id);
    this.registerOutputs({ networkId: this.networkId });
  }
}
