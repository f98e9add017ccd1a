import type { Network } from "./api";
import type { EngineApi } from "../remote/engine-api";

type NetworkName = Pick<Network, "Id" | "Name">;

/** Swarm-wide: services from any manager; containers only of this manager's own host, the rest Docker refuses itself. */
export async function usersOf(api: EngineApi, network: NetworkName): Promise<string[]> {
  return [...(await servicesOn(api, network)), ...(await containersOn(api, network))];
}

/** Services of the swarm, asked of any manager. */
export async function servicesOn(api: EngineApi, network: NetworkName): Promise<string[]> {
  interface Service {
    readonly Spec: {
      readonly Name: string;
      readonly Networks?: readonly { readonly Target: string }[] | null;
      readonly TaskTemplate: { readonly Networks?: readonly { readonly Target: string }[] | null };
    };
  }
  const services = await api.get<readonly Service[]>("/services");
  return services
    .filter(({ Spec }) =>
      [...(Spec.Networks ?? []), ...(Spec.TaskTemplate.Networks ?? [])].some(({ Target }) => Target === network.Id || Target === network.Name),
    )
    .map(({ Spec }) => `service ${Spec.Name}`);
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
