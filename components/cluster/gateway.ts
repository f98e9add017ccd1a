import * as pulumi from "@pulumi/pulumi";
import type { GatewayRequest } from "../agents/request";
import type { PlannedGateway } from "../gateways/gateway";
import { haproxyConfig } from "../gateways/haproxy";
import { managed, type ManagedArgs } from "./managed";

export interface GatewayResourceArgs extends ManagedArgs {
  readonly gateway: PlannedGateway;
  /** Docker's id of each of its networks, by name: a network that is made anew makes the gateway anew. */
  readonly networkIds: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Something outside the swarm that containers reach by name. Its inputs are the plan of it, for the preview to show. */
export class Gateway extends pulumi.ComponentResource {
  constructor(name: string, args: GatewayResourceArgs, opts?: pulumi.ComponentResourceOptions) {
    // Hosts may be many, and each shows that it may run the gateway by its label.
    const { hosts: _hosts, ...shown } = args.gateway;
    super("pulumi-swarm:index:Gateway", name, shown, opts);
    const { gateway, networkIds } = args;
    const { name: called, image, replicas } = gateway;
    const own = pulumi.output(networkIds).apply((ids) => {
      const networks = gateway.networks.map((network) => ({ name: network, id: ids[network] ?? network }));
      return { name: called, spec: { image, config: haproxyConfig(gateway), networks, replicas } };
    });
    // An answer that cannot be read is told here.
    this.registerOutputs({ serviceId: managed<GatewayRequest>("gateway", name, args, own, this) });
  }
}
