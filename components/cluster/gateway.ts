import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { answerOf, logWarnings } from "../agents/answer";
import { agentCommand } from "../agents/program";
import type { GatewayRequest } from "../agents/request";
import type { GatewayResponse } from "../gateways/api";
import type { PlannedGateway } from "../gateways/gateway";
import { haproxyConfig } from "../gateways/haproxy";
import { transformed } from "../transform";
import type { ManagedArgs } from "./overlay-network";

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
    const { gateway, cluster, managers, networkIds, reachableSeconds, recheck } = args;
    const request = pulumi.all([pulumi.output(managers), pulumi.output(networkIds)]).apply(([known, ids]): string => {
      const { image, replicas } = gateway;
      const networks = gateway.networks.map((network) => ({ name: network, id: ids[network] ?? network }));
      const asked: GatewayRequest = {
        cluster,
        name: gateway.name,
        spec: { image, config: haproxyConfig(gateway), networks, replicas },
        managers: known,
        reachableSeconds,
        ...(recheck !== undefined && { recheck }),
      };
      return JSON.stringify(asked);
    });
    const command = new local.Command(name, transformed(args.transform, agentCommand("gateway-up", "gateway-down", pulumi.secret(request))), {
      parent: this,
    });
    logWarnings(command.stdout, this);
    // An answer that cannot be read is told here.
    this.registerOutputs({ serviceId: pulumi.unsecret(command.stdout).apply((stdout) => answerOf<GatewayResponse>(stdout, "gateway-up").id) });
  }
}
