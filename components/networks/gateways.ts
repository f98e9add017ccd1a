import type { EngineApi } from "../remote/engine-api";
import type { Network, NetworkIo } from "./api";

/** Label of a service of ours that is a gateway, with its name; also the beginning of the node labels of the hosts that may run it. */
export const gatewayLabel = "pulumi-swarm.gateway";

/** A service, as far as its networks are looked at. */
export interface NetworkedService {
  readonly ID: string;
  readonly Spec: {
    readonly Name: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Networks?: readonly { readonly Target: string }[] | null;
    readonly TaskTemplate: { readonly Networks?: readonly { readonly Target: string }[] | null };
  };
}

/** A gateway is made by the program, as its networks are: it never stands in their way. */
export function isGateway({ Spec: { Labels: labels } }: Pick<NetworkedService, "Spec">): boolean {
  return labels?.[gatewayLabel] !== undefined;
}

/** All services of the swarm that are on a network, gateways too. */
export async function allServicesOn(api: EngineApi, network: Pick<Network, "Id" | "Name">): Promise<NetworkedService[]> {
  const services = await api.get<readonly NetworkedService[]>("/services");
  return services.filter(({ Spec }) =>
    [...(Spec.Networks ?? []), ...(Spec.TaskTemplate.Networks ?? [])].some(({ Target }) => Target === network.Id || Target === network.Name),
  );
}

/**
 * Removes the gateways on a network that goes, or is made anew: their own resources make them again, since they know the network by its id.
 *
 * @returns their names.
 */
export async function removeGatewaysOn(api: EngineApi, network: Pick<Network, "Id" | "Name">, io: Pick<NetworkIo, "progress">): Promise<string[]> {
  const gateways = (await allServicesOn(api, network)).filter(isGateway);
  for (const { ID, Spec } of gateways) {
    io.progress(`the gateway ${Spec.Name} is removed first, and recreated if the plan has it`);
    await api.delete(`/services/${ID}`);
  }
  return gateways.map(({ Spec }) => Spec.Name);
}
