import { NotFinished, type ResourceType } from "../../shared/plugin";
import { completeName, isGeneratedName } from "../../shared/plugin";
import { record, requiredText, text } from "../../shared/properties";
import { difference, keepSecrets, mistakesIn, planned, refreshed, withFallbacks } from "../../shared/terraform";
import { reveal, sameValue, type Props } from "../../shared/values";
import { connected, docker, reasonOf, unlessGone } from "../client";
import { inspect, tasksOf, untilCreated, untilUpdated } from "./converge";
import { nanoseconds } from "./duration";
import { serviceFields } from "./fields";
import { familiar, resolved } from "./image";
import { seen, type ServiceSeen } from "./seen";
import { specOf } from "./spec";
import { TimedOut, waitFor } from "./wait";

/** resource_docker_service_funcs.go, resourceDockerServiceRead: how long the daemon may take to say how the service is reached. */
const READ = { delayMilliseconds: 2_000, timeoutMilliseconds: 30_000 } as const;

/** terraform-provider-docker v4.5.0, internal/provider/resource_docker_service_funcs.go. */
export const service: ResourceType = {
  inputs: Object.keys(serviceFields),
  required: ["taskSpec"],
  refused: ["auth"],
  computed: ["labels", "mode", "endpointSpec"],
  updateRenewsComputed: false,
  mistakes(news) {
    const mode = record(news, "mode") ?? {};
    const given = (props: Props, name: string): boolean => props[name] !== undefined && props[name] !== null;
    return [
      ...mistakesIn(serviceFields, news),
      // ConflictsWith of the schema, which looks at whether a property is given, not at its value.
      ...(given(news, "convergeConfig") && given(mode, "global") ? [conflict("convergeConfig")] : []),
      ...(given(mode, "replicated") && given(mode, "global") ? [conflict("mode.replicated")] : []),
    ];
  },
  complete(news, olds, urn) {
    const named = completeName(news, olds, urn);
    return withFallbacks(serviceFields, named, named["__defaults"] as string[]);
  },
  diff({ state, news }) {
    const { changed, replaces } = difference(serviceFields, state, planned(serviceFields, news, state));
    const takesItsName = !isGeneratedName(news) && sameValue(state["name"], news["name"]);
    return { changed, replaces, deleteBeforeReplace: replaces.length > 0 && takesItsName };
  },
  async create(inputs, { signal }) {
    await connected();
    const plan = planned(serviceFields, inputs, {});
    const spec = specOf(plan) as Spec;
    const { image, platforms } = await resolved(spec.TaskTemplate.ContainerSpec.Image);
    spec.TaskTemplate.ContainerSpec.Image = image;
    if (platforms.length > 0) spec.TaskTemplate.Placement = { ...spec.TaskTemplate.Placement, Platforms: platforms };
    const { id } = await attempt(docker().createService(spec) as Promise<{ readonly id: string }>);
    try {
      await untilCreated(id, plan, signal);
    } catch (error) {
      // One that does not converge is deleted, so nothing of it is in the state.
      await remove(id, plan);
      throw error;
    }
    return { id, outputs: keepSecrets(seen(await endpointIsThere(id, signal), plan["convergeConfig"]), inputs) };
  },
  async update(id, { state, news }, { signal }) {
    const plan = planned(serviceFields, news, state);
    try {
      await connected();
      const { Version: version } = await attempt(inspect(id));
      const spec = specOf(plan) as Spec;
      spec.TaskTemplate.ContainerSpec.Image = familiar(spec.TaskTemplate.ContainerSpec.Image);
      await attempt(
        docker()
          .getService(id)
          .update({ version: version.Index, ...spec }) as Promise<unknown>,
      );
      await untilUpdated(id, plan, signal);
    } catch (error) {
      // Whatever failed, the state has the new properties: terraform-plugin-sdk v2, helper/schema/resource.go, Resource.Apply.
      throw new NotFinished(reasonOf(error), id, keepSecrets(plan, news));
    }
    return keepSecrets(seen(await endpointIsThere(id, signal), plan["convergeConfig"]), news);
  },
  async read(id, inputs, state) {
    await connected();
    const services = (await docker().listServices()) as readonly ServiceSeen[];
    // fetchDockerService: another service of that name will do.
    const found = services.find((each) => each.ID === id || each.Spec.Name === text(state, "name"));
    if (found === undefined) return undefined;
    const now = seen(await endpointIsThere(found.ID, AbortSignal.timeout(READ.timeoutMilliseconds)), reveal(state["convergeConfig"]));
    return { id: found.ID, inputs: refreshed(serviceFields, inputs, now), state: keepSecrets(now, inputs) };
  },
  async delete(id, state) {
    await connected();
    await remove(id, state);
  },
};

interface Spec {
  readonly TaskTemplate: { readonly ContainerSpec: { Image: string }; Placement?: object };
}

const conflict = (property: string) => ({ property, reason: "conflicts with mode.0.global" });

async function attempt<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw new Error(`Error response from daemon: ${reasonOf(error)}`);
  }
}

/** Without the real one's delay where it has nothing to wait for. */
async function endpointIsThere(id: string, signal: AbortSignal): Promise<ServiceSeen> {
  const look = async (): Promise<ServiceSeen | undefined> => {
    const service = await attempt(inspect(id));
    return service.Endpoint?.Spec?.Mode ? service : undefined;
  };
  const now = await look();
  if (now !== undefined) return now;
  // After the delay, what the program asked for will do where nothing is allocated.
  const later = async (): Promise<ServiceSeen | undefined> => {
    const service = await attempt(inspect(id));
    return service.Endpoint?.Spec?.Mode || service.Spec.EndpointSpec?.Mode ? service : undefined;
  };
  try {
    return await waitFor({ ...READ, signal, look: later });
  } catch (error) {
    if (error instanceof TimedOut)
      throw new Error(`timeout while waiting for state to become 'all_fields, removed' (last state: 'pending', timeout: 30s)`);
    throw error;
  }
}

/** deleteService: with a `stopGracePeriod`, containers of the host that the provider asks are waited for; of others it knows nothing. */
async function remove(id: string, state: Props): Promise<void> {
  const grace = nanoseconds(text(record(record(state, "taskSpec") ?? {}, "containerSpec") ?? {}, "stopGracePeriod") ?? "") / 1e6;
  const tasks = grace > 0 ? await tasksOf({ service: [requiredText(state, "name")] }) : [];
  const containers = tasks.filter(({ Status }) => Status.State !== "shutdown").flatMap(({ Status }) => Status.ContainerStatus?.ContainerID || []);
  await docker()
    .getService(id)
    .remove()
    .catch((error: unknown) => {
      throw new Error(`Error deleting service with ID '${id}': Error response from daemon: ${reasonOf(error)}`);
    });
  for (const container of containers) {
    const there = docker().getContainer(container);
    try {
      await unlessGone(there.wait({ condition: "removed", abortSignal: AbortSignal.timeout(grace) } as object));
    } catch (error) {
      throw new Error(`error on wait for container with ID '${container}': ${reasonOf(error)}`);
    }
    await unlessGone(there.remove({ force: true, v: true })).catch((error: unknown) => {
      if (!reasonOf(error).includes("is already in progress")) throw error;
    });
  }
}
