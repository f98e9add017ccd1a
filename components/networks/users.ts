import type { Network } from "./api";
import type { EngineApi } from "../remote/engine-api";
import { allServicesOn, isGateway } from "./gateways";

type NetworkName = Pick<Network, "Id" | "Name">;

/** Swarm-wide: services from any manager; containers only of this manager's own host, the rest Docker refuses itself. */
export async function usersOf(api: EngineApi, network: NetworkName): Promise<string[]> {
  return [...(await servicesOn(api, network)), ...(await containersOn(api, network))];
}

/** Where to look for what holds a network and is neither a service nor on this host. @param reason Docker's own */
export async function whereToLook(api: EngineApi, reason: string): Promise<string> {
  const [, id] = /in use by task (\w+)/.exec(reason) ?? [];
  const held = id === undefined ? undefined : await holderOf(api, id).catch(() => undefined);
  if (!held) return "Look for containers on the other hosts that are attached to it";
  return (
    `The swarm's managers have that task for a container of the host ${held.host} (${held.state}). ` +
    "Look for one there that is attached to the network; if there is none, the managers do not know yet that it went"
  );
}

async function holderOf(api: EngineApi, id: string): Promise<{ readonly host: string; readonly state: string }> {
  const { NodeID, Status } = await api.get<{ readonly NodeID: string; readonly Status: { readonly State: string } }>(`/tasks/${id}`);
  const { Description } = await api.get<{ readonly Description: { readonly Hostname: string } }>(`/nodes/${NodeID}`);
  return { host: Description.Hostname, state: Status.State };
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
