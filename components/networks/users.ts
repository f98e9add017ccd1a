import type { Network } from "./api";
import type { EngineApi } from "../remote/engine-api";
import { allServicesOn, isGateway } from "./gateways";

type NetworkName = Pick<Network, "Id" | "Name">;

/** Swarm-wide: services from any manager; containers only of this manager's own host, the rest Docker refuses itself. */
export async function usersOf(api: EngineApi, network: NetworkName): Promise<string[]> {
  return [...(await servicesOn(api, network)), ...(await containersOn(api, network))];
}

/** Services of the swarm but for our own gateways, asked of any manager. */
export async function servicesOn(api: EngineApi, network: NetworkName): Promise<string[]> {
  const services = await allServicesOn(api, network);
  return services.filter((service) => !isGateway(service)).map(({ Spec }) => `service ${Spec.Name}`);
}

/** Containers of this engine's own host that belong to no service. */
export async function containersOn(api: EngineApi, network: NetworkName): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ network: [network.Id] }));
  const containers = await api.get<readonly { readonly Names: readonly string[]; readonly Labels: Readonly<Record<string, string>> }[]>(
    `/containers/json?all=true&filters=${filters}`,
  );
  return containers
    .filter(({ Labels }) => !("com.docker.swarm.service.id" in Labels))
    .map(({ Names }) => `container ${(Names[0] ?? "?").replace(/^\//, "")}`);
}
