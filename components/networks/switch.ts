import { whileWaiting } from "../waiting";
import type { DockerApi } from "../remote/docker-api";
import type { Network, NetworkIo } from "./api";
import { ownerOf, removeNetwork } from "./reconcile";
import { removeGatewaysOn } from "./gateways";
import { containersOn, servicesOn } from "./users";

/** An overlay as hosts have it. */
export interface OverlayState {
  readonly kind: string;
  /** The slices of hosts' subnets that networks have, by network; others have subnets of their own. */
  readonly slices: Readonly<Record<string, string>>;
}

/** A network of the cluster, and a manager that can be asked of it. */
export interface FoundNetwork {
  readonly network: Network;
  readonly manager: DockerApi;
}

interface Host {
  readonly key: string;
  readonly docker: DockerApi;
}

/**
 * Networks that lie on what hosts are about to be rid of: all of the cluster's when the overlay is another one, and those whose slice of
 * hosts' subnets is another one or none.
 */
export async function networksToMakeAnew(cluster: string, before: OverlayState, now: OverlayState, hosts: readonly Host[]): Promise<FoundNetwork[]> {
  const other = before.kind !== now.kind;
  const moved = new Set(Object.keys(before.slices).filter((name) => before.slices[name] !== now.slices[name]));
  const manager = other || moved.size > 0 ? await firstManager(hosts) : undefined;
  if (!manager) return [];
  const networks = await manager.get<readonly Network[]>("/networks");
  return networks
    .filter((network) => network.Scope === "swarm" && ownerOf(network, cluster) === cluster && (other || moved.has(network.Name)))
    .sort((one, another) => (one.Name < another.Name ? -1 : 1))
    .map((network) => ({ network, manager }));
}

/** @throws when a service or a container uses one of these networks; it says what to do. */
export async function refuseInUse(
  networks: readonly FoundNetwork[],
  change: { readonly from: string; readonly to: string },
  hosts: readonly Host[],
): Promise<void> {
  const users = networks.map(async ({ network, manager }) => {
    const services = await servicesOn(manager, network);
    const containers = await Promise.all(
      hosts.map(async ({ key, docker }) => (await containersOn(docker, network)).map((name) => `${name} on ${key}`)),
    );
    const all = [...services, ...containers.flat()];
    return all.length === 0 ? [] : [`  - network ${network.Name} is used by ${all.join(", ")}`];
  });
  const lines = (await Promise.all(users)).flat();
  if (lines.length === 0) return;
  const what = change.from === change.to ? "where networks lie in hosts' subnets" : `the overlay from ${change.from} to ${change.to}`;
  throw new Error(
    [
      `changing ${what} would cut off what uses the networks of it; nothing was changed:`,
      ...lines,
      "Docker cannot move a network while it is used, nor carry it by two overlays at once. Stop these (docker service rm, docker rm), run again, and start them again; " +
        "or make a second cluster with the other overlay and move to it service by service, which takes nothing down",
    ].join("\n"),
  );
}

/** A task that is asked to stop has ten seconds, and then is ended. */
const taskTimeout = 30_000;

/**
 * Removes these networks, which nobody uses; their own resources make them anew. Returns when hosts are rid of them too, which is when their
 * last task has stopped: the managers forget a network before that.
 */
export async function removeNetworks(networks: readonly FoundNetwork[], hosts: readonly Host[], io: NetworkIo): Promise<void> {
  for (const { manager, network } of networks) {
    io.progress(`network ${network.Name}: nothing uses it; it is removed, and recreated if the plan has it`);
    await removeGatewaysOn(manager, network, io);
    await removeNetwork(manager, network, io);
  }
  const ids = new Set(networks.map(({ network }) => network.Id));
  const until = io.now() + taskTimeout;
  if (ids.size === 0) return;
  await whileWaiting(io, undefined, "tasks on these networks to stop", taskTimeout, () =>
    Promise.all(
      hosts.map(async ({ docker }) => {
        const isThere = async (): Promise<boolean> => (await docker.get<readonly Network[]>("/networks")).some(({ Id }) => ids.has(Id));
        while (io.now() < until && (await isThere())) await io.sleep(500);
      }),
    ),
  );
}

/** Names of all networks, as a manager has them; undefined where none answers. */
export async function networksOf(hosts: readonly Host[]): Promise<readonly string[] | undefined> {
  const manager = await firstManager(hosts);
  return manager && (await manager.get<readonly Network[]>("/networks")).map((network) => network.Name);
}

async function firstManager(hosts: readonly Host[]): Promise<DockerApi | undefined> {
  interface Info {
    readonly Swarm: { readonly ControlAvailable: boolean };
  }
  for (const { docker } of hosts) {
    const { Swarm: swarm } = await docker.get<Info>("/info").catch(() => ({ Swarm: { ControlAvailable: false } }));
    if (swarm.ControlAvailable) return docker;
  }
  return undefined;
}
