import type { DockerApi } from "../remote/docker-api";
import type { Network, NetworkIo } from "./api";
import { find, removeNetwork } from "./reconcile";
import { containersOn, servicesOn } from "./users";

/** The cluster's networks on an overlay: each with its slice of hosts' subnets where it has one. */
export interface OnOverlay {
  readonly kind: string;
  readonly networks: Readonly<Record<string, string>>;
}

interface Host {
  readonly key: string;
  readonly docker: DockerApi;
}

/**
 * Networks that lie on what hosts are about to be rid of: all of them when the overlay is another one, and those whose slice of
 * hosts' subnets is another one or none.
 */
export function networksToMakeAnew(before: OnOverlay, now: OnOverlay): string[] {
  return Object.entries(before.networks)
    .filter(([name, slice]) => before.kind !== now.kind || (slice !== "" && now.networks[name] !== slice))
    .map(([name]) => name)
    .sort();
}

/** @throws when a service or a container uses one of these networks; it says what to do. */
export async function refuseInUse(
  names: readonly string[],
  change: { readonly from: string; readonly to: string },
  hosts: readonly Host[],
): Promise<void> {
  const networks = await present(names, hosts);
  const manager = networks[0]?.manager;
  if (!manager) return;
  const users = networks.map(async ({ network }) => {
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
      "Docker cannot move a network while it is used, nor carry it by two overlays at once. Stop these (docker service rm, docker rm), run again, and start them anew; " +
        "or make a second cluster with the other overlay and move to it service by service, which takes nothing down",
    ].join("\n"),
  );
}

/** Removes these networks, which nobody uses; their own resources make them anew. */
export async function makeAnew(names: readonly string[], hosts: readonly Host[], io: NetworkIo): Promise<void> {
  for (const { manager, network } of await present(names, hosts)) {
    io.progress(`network ${network.Name}: nothing uses it; it goes, and is made anew on the other overlay`);
    await removeNetwork(manager, network, io);
  }
}

async function present(names: readonly string[], hosts: readonly Host[]): Promise<{ readonly manager: DockerApi; readonly network: Network }[]> {
  if (names.length === 0) return [];
  interface Info {
    readonly Swarm: { readonly ControlAvailable: boolean };
  }
  for (const { docker: manager } of hosts) {
    const { Swarm: swarm } = await manager.get<Info>("/info").catch(() => ({ Swarm: { ControlAvailable: false } }));
    if (!swarm.ControlAvailable) continue;
    const found = await Promise.all(names.map(async (name) => find(manager, name)));
    return found.flatMap((network) => (network ? [{ manager, network }] : []));
  }
  return [];
}
