import { isDeepStrictEqual } from "node:util";
import { backoff } from "../remote/backoff";
import { DockerApiError } from "../remote/docker-api";
import { reasonOf } from "../remote/each";
import type { Network, NetworkIo, NetworkResponse, NetworkSpec } from "./api";
import type { EngineApi } from "../remote/engine-api";
import { whileWaiting } from "../waiting";
import { NetworkOwner } from "./owner";
import { hostNetworkOf } from "../overlays/docker-network";
import { removeGatewaysOn } from "./gateways";
import { usersOf, whereToLook } from "./users";

/** Says whose network it is, so that one that somebody made by hand is never taken or removed. */
export const ownerLabel = "pulumi-swarm.cluster";

const vxlanIds = "com.docker.network.driver.overlay.vxlanid_list";

/** Tasks that were just removed hold a network for some seconds more. */
const releaseTimeout = 20_000;
const leaderTimeout = 30_000;

/**
 * Brings one overlay network to what was asked. Docker can change nothing of a network in place: one that is not used
 * is made anew; one that is used stays as it is, and the error says who uses it.
 *
 * @param previous What the last run of this resource returned.
 */
export async function networkUp(
  api: EngineApi,
  cluster: string,
  name: string,
  spec: NetworkSpec,
  previous: NetworkResponse | undefined,
  io: NetworkIo,
): Promise<NetworkResponse> {
  return onceMoreIfOverlooked(async () => {
    const present = await find(api, name);
    const mine = new NetworkOwner(api, name, io);
    const id = await bring(api, cluster, name, spec, present, mine, io);
    // Last, for a run that fails returns nothing to remember.
    const owner = await mine.take(previous?.owner, present !== undefined, previous !== undefined);
    return { id, ...(owner !== undefined && { owner }) };
  });
}

async function bring(
  api: EngineApi,
  cluster: string,
  name: string,
  spec: NetworkSpec,
  present: Network | undefined,
  mine: NetworkOwner,
  io: NetworkIo,
): Promise<string> {
  const body = bodyOf(cluster, name, spec);
  if (present) {
    const differences = compare(present, spec);
    const owner = ownerOf(present, cluster);
    if (owner !== cluster) {
      throw new Error(
        `network ${name} is there already and belongs to ${owner === undefined ? "nobody this package knows" : `the cluster "${owner}"`}. ` +
          `Name yours otherwise, or remove it: docker network rm ${name}`,
      );
    }
    if (differences.length === 0) return present.Id;
    const users = await usersOf(api, present);
    if (users.length > 0) {
      throw new Error(
        `network ${name} cannot be changed (${differences.join("; ")}) while it is used by ${users.join(", ")}; it is left as it was. ` +
          `Add a network under another name, move them to it, then remove this one; or stop them and run again`,
      );
    }
    io.progress(`nothing uses it: recreating it (${differences.join("; ")})`);
    return makeAnew(api, present, body, differences, mine, io);
  }
  const { Id } = await createNetwork(api, body, io);
  return Id;
}

/**
 * Pulumi keeps the old inputs of a run that failed, and sees no change when the edit is taken back: so the network is never left removed
 * where it can be made again as it was.
 */
async function makeAnew(
  api: EngineApi,
  present: Network,
  body: NetworkBody,
  differences: readonly string[],
  mine: NetworkOwner,
  io: NetworkIo,
): Promise<string> {
  const gateways = await removeGatewaysOn(api, present, io);
  await removeNetwork(api, present, io);
  try {
    return (await withLeader(io, () => createNetwork(api, body, io))).Id;
  } catch (error) {
    if (error instanceof Overlooked) throw error;
    const problem = `network ${present.Name} cannot be made with ${differences.join("; ")}: ${reasonOf(error)}`;
    try {
      await withLeader(io, () => createNetwork(api, bodyOfPresent(present), io));
    } catch (again) {
      if (again instanceof Overlooked) throw error;
      throw new Error(
        `${problem}. It is gone, as it could not be made again as it was either: ${reasonOf(again)}. ` +
          "Fix the cause and run again; if you take the edit back, change membership.recheck too, or Pulumi sees no change",
      );
    }
    await withLeader(io, () => mine.keepFor(present.Id));
    const without = gateways.length === 0 ? "" : `, without the gateway ${gateways.join(", ")}: another membership.recheck makes it again`;
    throw new Error(`${problem}. It was made again as it was${without}`);
  }
}

/** Managers elect a new leader within 11 s, and say until then that there is none. */
async function withLeader<Result>(io: NetworkIo, work: () => Promise<Result>): Promise<Result> {
  const until = io.now() + leaderTimeout;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DockerApiError && /not have a leader|no leader|deadline ?exceeded/i.test(error.reason)) || io.now() > until) throw error;
      await io.sleep(1_000);
    }
  }
}

/** Removes the network, if it is ours and no other resource has taken it over. */
export async function networkDown(
  api: EngineApi,
  cluster: string,
  name: string,
  previous: NetworkResponse | undefined,
  io: NetworkIo,
  keepUsed = false,
): Promise<void> {
  const present = await find(api, name);
  if (!present || ownerOf(present, cluster) !== cluster) return;
  const users = keepUsed ? await usersOf(api, present) : [];
  if (users.length > 0) {
    io.progress(`warning: it stays in the swarm, which lives on: it is used by ${users.join(", ")}`);
    return;
  }
  const owner = new NetworkOwner(api, name, io);
  if (await owner.isAnother(previous, present.Id)) {
    io.progress("was taken over by another run, as when its resource is replaced: left alone");
    return;
  }
  // One of a run that was cut off may be on it, and no resource knows it.
  await removeGatewaysOn(api, present, io);
  await removeNetwork(api, present, io);
  await owner.forget();
}

/** A network that takes its addresses from hosts can have no labels; that of the hosts is named by this package alone. */
export function ownerOf({ Name, Labels, ConfigFrom }: Network, cluster: string): string | undefined {
  return ConfigFrom?.Network === hostNetworkOf(Name) ? cluster : Labels?.[ownerLabel];
}

async function find(api: EngineApi, name: string): Promise<Network | undefined> {
  const filters = encodeURIComponent(JSON.stringify({ name: [name] }));
  const networks = await api.get<readonly Network[]>(`/networks?filters=${filters}`);
  // Docker's filter matches parts of names.
  return networks.find((network) => network.Name === name && network.Scope === "swarm");
}

type Difference = readonly [what: string, is: unknown, want: unknown];

function compare(present: Network, spec: NetworkSpec): string[] {
  const config = present.IPAM.Config?.[0];
  const options = Object.fromEntries(Object.entries(present.Options ?? {}).filter(([key]) => key in spec.options));
  const { [ownerLabel]: _owner, ...labels } = present.Labels ?? {};
  const own: readonly Difference[] = [
    ["subnet", config?.Subnet, spec.subnet],
    ["gateway", config?.Gateway, spec.gateway],
    ["options", options, spec.options],
    ["labels", labels, spec.labels],
  ];
  const pairs: readonly Difference[] = [
    ["driver", present.Driver, spec.driver],
    ["internal", present.Internal, spec.internal],
    ["attachable", present.Attachable, spec.attachable],
    ["source of addresses", present.ConfigFrom?.Network || undefined, spec.configFrom],
    ...(spec.configFrom === undefined ? own : []),
  ];
  return pairs.filter(([, is, want]) => !isDeepStrictEqual(is, want)).map(([what, is, want]) => `${what} ${show(is)} to ${show(want)}`);
}

function show(value: unknown): string {
  if (value === undefined) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Removes a network, and returns when it is gone.
 *
 * @param onRemoved Called when the swarm has it no more, and only this engine may still know it.
 */
export function removeNetwork(api: EngineApi, network: Network, io: NetworkIo, onRemoved: () => void = () => {}): Promise<void> {
  return whileWaiting(io, undefined, `network ${network.Name} to be gone`, releaseTimeout, () => remove(api, network, io, onRemoved));
}

async function remove(api: EngineApi, network: Network, io: NetworkIo, onRemoved: () => void): Promise<void> {
  const until = io.now() + releaseTimeout;
  while (!(await isRemoved(api, network, io.now() > until))) await io.sleep(500);
  onRemoved();
  const pause = backoff(20, 500);
  // Docker answers before the network is gone everywhere; making it anew at once would meet "already exists".
  while (await find(api, network.Name)) {
    if (io.now() > until) {
      throw new Error(
        `network ${network.Name} is still there ${releaseTimeout / 1000} s after its removal. Run again; if it stays, this manager's engine holds on to ` +
          "a network that the swarm no longer has: restart Docker there",
      );
    }
    await io.sleep(pause());
  }
}

/** @returns false when something still holds it that may let go; not when it is the last time that is asked. */
async function isRemoved(api: EngineApi, network: Network, lastTime: boolean): Promise<boolean> {
  try {
    await api.delete(`/networks/${network.Id}`);
    return true;
  } catch (error) {
    if (!(error instanceof DockerApiError)) throw error;
    // moby answers 500 where this engine still has what the swarm no longer has (daemon/cluster/helpers.go, getNetwork).
    if (error.status === 404 || /^network \S+ not found$/.test(error.reason)) return true;
    if (!lastTime && /in use|active endpoints/.test(error.reason)) return false;
    const users = await usersOf(api, network);
    const where = users.length > 0 ? `It is used by ${users.join(", ")}; remove these first` : await whereToLook(api, error.reason);
    throw new Error(`network ${network.Name} cannot be removed: ${error.reason}. ${where}`);
  }
}

/** A request to make a network, in Docker's own words. */
export interface NetworkBody {
  readonly Name: string;
  readonly [key: string]: unknown;
}

function bodyOf(cluster: string, name: string, spec: NetworkSpec): NetworkBody {
  const common = { Name: name, Driver: spec.driver, Internal: spec.internal, Attachable: spec.attachable };
  if (spec.configFrom !== undefined) return { ...common, Scope: "swarm", ConfigFrom: { Network: spec.configFrom } };
  return {
    ...common,
    IPAM: { Driver: "default", Config: [{ Subnet: spec.subnet, Gateway: spec.gateway }] },
    Options: spec.options,
    Labels: { ...spec.labels, [ownerLabel]: cluster },
  };
}

/** What it was made by, without what the driver added. */
function bodyOfPresent({ Name, Driver, Internal, Attachable, IPAM, Options, Labels, ConfigFrom }: Network): NetworkBody {
  const common = { Name, Driver, Internal, Attachable };
  if (ConfigFrom?.Network) return { ...common, Scope: "swarm", ConfigFrom: { Network: ConfigFrom.Network } };
  const { [vxlanIds]: _ids, ...options } = Options ?? {};
  return { ...common, IPAM: { Driver: "default", Config: IPAM.Config ?? [] }, Options: options, Labels: Labels ?? {} };
}

/** A network that was not listed, and is there. */
class Overlooked extends Error {}

/**
 * A manager without a leader, as for a moment while others join, lists the networks of its own engine only, and does not say so. What
 * was then thought missing, and turns out to be there when it is to be made, is looked at again.
 */
export async function onceMoreIfOverlooked<Result>(reconcile: () => Promise<Result>): Promise<Result> {
  try {
    return await reconcile();
  } catch (error) {
    if (error instanceof Overlooked) return reconcile();
    throw error;
  }
}

/** Makes a network; waits out an engine that still knows the name of what it just removed. Belongs within `onceMoreIfOverlooked`. */
export async function createNetwork(api: EngineApi, body: NetworkBody, io: NetworkIo): Promise<{ readonly Id: string }> {
  const until = io.now() + releaseTimeout;
  const pause = backoff(20, 500);
  for (;;) {
    try {
      return await api.post<{ readonly Id: string }>("/networks/create", body);
    } catch (error) {
      if (!(error instanceof DockerApiError && /already exists/.test(error.reason))) throw error;
      if (await find(api, body.Name)) throw new Overlooked(error.message);
      if (io.now() > until) throw error;
      await io.sleep(pause());
    }
  }
}
