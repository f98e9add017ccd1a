import { randomUUID } from "node:crypto";
import { gatewayLabel } from "../networks/gateways";
import type { NetworkIo } from "../networks/api";
import { ownerLabel } from "../networks/reconcile";
import { DockerApiError } from "../remote/docker-api";
import type { EngineApi } from "../remote/engine-api";
import type { Config, GatewayResponse, GatewaySpec, Service, ServiceSpec } from "./api";
import { waitUntilRunning } from "./running";
import { bodyOf, configName, configOf, differences, type GatewayOwner, markLabel, ownLabels } from "./service";

/** Changes of a service that meet somebody else's are made again. */
const mostAttempts = 5;

/**
 * Brings the service of a gateway to what was asked, and returns when it runs. Whatever a run that was cut off left is found again by its
 * labels.
 *
 * @param previous What the last run of this resource returned.
 */
export async function gatewayUp(
  api: EngineApi,
  owner: GatewayOwner,
  spec: GatewaySpec,
  previous: GatewayResponse | undefined,
  io: NetworkIo,
): Promise<GatewayResponse> {
  refuseForeign(await find(api, owner.name), owner);
  const config = await bringConfig(api, owner, spec.config);
  const mark = previous?.mark ?? randomUUID();
  const body = bodyOf(owner, spec, config, mark);
  const id = await bring(api, owner, body, io);
  await waitUntilRunning(api, id, body, spec, io);
  const service = await api.get<Service>(`/services/${id}`);
  // The one before stays until the next change: Docker's own rollback needs it.
  await removeConfigs(api, owner, [config.id, configOf(service.PreviousSpec?.TaskTemplate)]);
  return { id, mark };
}

/** Removes the gateway, if it is ours and no other resource has taken it over. */
export async function gatewayDown(
  api: EngineApi,
  owner: GatewayOwner,
  previous: GatewayResponse | undefined,
  io: Pick<NetworkIo, "progress">,
): Promise<void> {
  const present = await find(api, owner.name);
  if (present && isOwn(present.Spec, owner)) {
    if (previous && present.Spec.Labels?.[markLabel] !== previous.mark) {
      io.progress("was taken over by another run, as when its resource is replaced: left alone");
      return;
    }
    await remove(api, `/services/${present.ID}`);
  }
  await removeConfigs(api, owner, []);
}

async function bring(api: EngineApi, owner: GatewayOwner, body: ServiceSpec, io: NetworkIo): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const present = await find(api, owner.name);
    refuseForeign(present, owner);
    const other = present ? differences(present.Spec, body) : [];
    if (present && other.length === 0) return present.ID;
    try {
      if (!present) return (await api.post<{ readonly ID: string }>("/services/create", body)).ID;
      io.progress(`changing its ${other.join(", ")}`);
      await api.post(`/services/${present.ID}/update?version=${present.Version.Index}`, body);
      return present.ID;
    } catch (error) {
      const meanwhile = error instanceof DockerApiError && /out of sequence|already exists|name conflicts/i.test(error.reason);
      if (!meanwhile || attempt === mostAttempts) throw error;
      await io.sleep(200);
    }
  }
}

function isOwn({ Labels: labels }: { readonly Labels: Readonly<Record<string, string>> | null }, { cluster, name }: GatewayOwner): boolean {
  return labels?.[ownerLabel] === cluster && labels[gatewayLabel] === name;
}

function refuseForeign(present: Service | undefined, owner: GatewayOwner): void {
  if (!present || isOwn(present.Spec, owner)) return;
  const { [ownerLabel]: cluster, [gatewayLabel]: gateway } = present.Spec.Labels ?? {};
  const whose = cluster !== undefined && gateway !== undefined ? `is a gateway of the cluster "${cluster}"` : "is no gateway of this package";
  throw new Error(
    `service ${owner.name} is there already and ${whose}; it is left as it is. Fix: name the gateway otherwise, or remove the service ` +
      `(docker service rm ${owner.name}), and run again`,
  );
}

async function find(api: EngineApi, name: string): Promise<Service | undefined> {
  const filters = encodeURIComponent(JSON.stringify({ name: [name] }));
  // Docker's filter matches the beginnings of names.
  return (await api.get<readonly Service[]>(`/services?filters=${filters}`)).find(({ Spec }) => Spec.Name === name);
}

async function configsOf(api: EngineApi): Promise<readonly Config[]> {
  return api.get<readonly Config[]>("/configs");
}

async function bringConfig(api: EngineApi, owner: GatewayOwner, text: string): Promise<{ readonly id: string; readonly name: string }> {
  const name = configName(owner, text);
  const present = (await configsOf(api)).find(({ Spec }) => Spec.Name === name);
  if (present && !isOwn(present.Spec, owner)) {
    throw new Error(`config ${name} is there already and is not of gateway ${owner.name}. Fix: remove it (docker config rm ${name}), and run again`);
  }
  if (present) return { id: present.ID, name };
  const body = { Name: name, Labels: ownLabels(owner), Data: Buffer.from(text).toString("base64") };
  return { id: (await api.post<{ readonly ID: string }>("/configs/create", body)).ID, name };
}

/** Those of the gateway but for some. One that a service of somebody's uses stays. */
async function removeConfigs(api: EngineApi, owner: GatewayOwner, keep: readonly (string | undefined)[]): Promise<void> {
  const own = (await configsOf(api)).filter(({ ID, Spec }) => isOwn(Spec, owner) && !keep.includes(ID));
  for (const { ID } of own) {
    try {
      await remove(api, `/configs/${ID}`);
    } catch (error) {
      if (!(error instanceof DockerApiError && /in use/.test(error.reason))) throw error;
    }
  }
}

/** What is gone already is as it should be. */
async function remove(api: EngineApi, path: string): Promise<void> {
  try {
    await api.delete(path);
  } catch (error) {
    if (!(error instanceof DockerApiError && error.status === 404)) throw error;
  }
}
