import { forget, keep, type MemoryPlace, recall, type Remembering } from "../../memory";
import { type Failure, onEach } from "../../remote/each";
import type { Fleet, ReachedHost } from "../fleet";
import type { Intent, Remembered, RequestHost, SwarmMemory, SwarmRequest, SwarmResponse, SwarmResponseHost, SwarmUpResponse } from "../request";
import { progress } from "../run";
import type { Departing } from "./departing";
import type { Ready } from "./engines";
import { remembered } from "./hosts";
import type { Members } from "./members";
import { rememberedOverlay } from "./overlay-before";
import type { PublicKeys } from "./protect";

/** A host that is no more may be asked in vain. */
const waySeconds = 10;

type Placed = Partial<Pick<SwarmRequest, "memoryKey">> & Pick<SwarmRequest, "cluster">;

/** Undefined for a request of version 0.1.0, which kept it all in Pulumi's state. */
export function placeOf({ cluster, memoryKey }: Placed): MemoryPlace | undefined {
  return memoryKey === undefined ? undefined : { name: cluster, key: memoryKey };
}

/**
 * What the last run left behind, on the managers; where none of these has it, on those of earlier requests. Failing that, what a run
 * of version 0.1.0 printed.
 *
 * @param unasked Takes those that may remember more, and cannot be asked.
 */
export async function recallSwarm(
  fleet: Fleet,
  request: Placed & { readonly hosts: readonly Pick<RequestHost, "key" | "connection">[] },
  intent: Intent | undefined,
  reached: readonly ReachedHost[],
  previous: Partial<SwarmResponse & SwarmUpResponse> | undefined,
  unasked: Failure[] = [],
): Promise<SwarmMemory | undefined> {
  const place = placeOf(request);
  const known = place && (await recallFrom<SwarmMemory>(fleet, place, intent, request.hosts, reached, previous?.generation, unasked));
  return known ?? (previous?.hosts && { swarmId: "", generation: 0, ...previous, hosts: previous.hosts });
}

/**
 * From the hosts that hold it now; where they have none, or an older one than the last run told of, also from those that held it.
 *
 * @param unasked Takes those of the latter that cannot be asked.
 */
export async function recallFrom<Memory extends Remembering>(
  fleet: Fleet,
  place: MemoryPlace,
  intent: Intent | undefined,
  hosts: readonly Pick<RequestHost, "key" | "connection">[],
  holders: readonly ReachedHost[],
  told = 0,
  unasked: Failure[] = [],
): Promise<Memory | undefined> {
  const here = await recall<Memory>(holders, place);
  if (here && here.generation >= told) return here;
  const asked = new Set(hosts.flatMap(({ key, connection }) => (holders.some((holder) => holder.key === key) ? [connection.host] : [])));
  const ways = (intent?.ways ?? []).filter(({ connection }) => !asked.has(connection.host));
  if (ways.length === 0) return here;
  const others = await onEach(ways, unasked, ({ key, connection }) => fleet.reach(key, connection, waySeconds));
  const there = await recall<Memory>([...others.values()], place);
  return there && there.generation > (here?.generation ?? 0) ? there : here;
}

/**
 * What the hosts may be like from now on: as they were, or as they are asked to be. One that nothing is done to, as it is somebody
 * else's, is not remembered.
 */
export function aboutToAsk(
  request: SwarmRequest,
  owner: readonly string[],
  touched: readonly ReachedHost[],
  memory: SwarmMemory | undefined,
): SwarmMemory {
  const before = memory?.hosts ?? {};
  const keys = new Set(touched.map(({ key }) => key));
  const described = request.hosts.filter(({ key }) => keys.has(key));
  const asked = described.map(({ labels: _labels, ...host }) => {
    const { publicKey, nodeId = "", engine = "", maintained } = before[host.key] ?? {};
    return [host.key, { ...remembered(host, publicKey), nodeId, engine, ...(maintained && { maintained }) }] as const;
  });
  return {
    swarmId: "",
    overlay: rememberedOverlay(request),
    ...memory,
    called: owner,
    generation: (memory?.generation ?? 0) + 1,
    hosts: { ...before, ...Object.fromEntries(asked) },
  };
}

/** What is so now, as far as the run got. */
export function learn(
  request: SwarmRequest,
  asked: SwarmMemory,
  { result }: Pick<Members, "result">,
  ready: readonly Pick<Ready, "key" | "engine" | "maintenance">[],
  keys: PublicKeys,
  leaving: readonly (readonly [string, SwarmResponseHost])[],
): SwarmMemory {
  const { recovered: _before, ...kept } = asked;
  const seen = new Map(ready.map((host) => [host.key, host]));
  const touched = request.hosts.filter(({ key }) => key in asked.hosts);
  const described = touched.map(({ labels: _labels, ...host }): [string, SwarmResponseHost] => {
    const { key } = host;
    const before = asked.hosts[key];
    const publicKey = keys[key] ?? before?.publicKey;
    const nodeId = result.nodes[key] ?? before?.nodeId ?? "";
    const maintained = seen.get(key)?.maintenance?.done ?? before?.maintained;
    const engine = seen.get(key)?.engine ?? before?.engine ?? "";
    return [key, { ...remembered(host, publicKey), nodeId, engine, ...(maintained && { maintained }) }];
  });
  return {
    ...kept,
    overlay: rememberedOverlay(request),
    owner: request.intent.mark,
    swarmId: result.swarmId,
    ...(result.recovered > 0 && { recovered: result.recovered }),
    generation: asked.generation + 1,
    hosts: Object.fromEntries([...leaving, ...described]),
  };
}

export function beforeOf({ hosts }: SwarmMemory, departing: readonly Pick<Departing, "key">[]): (readonly [string, SwarmResponseHost])[] {
  return departing.flatMap(({ key }) => {
    const before = hosts[key];
    return before ? [[key, before] as const] : [];
  });
}

/** Who is a member must not be forgotten by a run that is cut off after it. */
export function isNews(before: SwarmMemory, now: SwarmMemory): boolean {
  return (
    before.swarmId !== now.swarmId ||
    before.recovered !== now.recovered ||
    Object.entries(now.hosts).some(([key, { nodeId }]) => before.hosts[key]?.nodeId !== nodeId)
  );
}

export async function keepMemory(request: SwarmRequest, managers: readonly ReachedHost[], memory: SwarmMemory): Promise<void> {
  const place = placeOf(request);
  if (place) await keepOn(place, managers, memory);
}

export async function keepOn<Memory extends Remembering>(place: MemoryPlace, holders: readonly ReachedHost[], memory: Memory): Promise<void> {
  if (holders.length === 0) return;
  for (const { host, reason } of await keep(holders, place, memory)) progress(host, `warning: cannot keep what is known of the hosts: ${reason}`);
}

export async function forgetMemory(request: Placed, hosts: readonly ReachedHost[]): Promise<void> {
  const place = placeOf(request);
  if (place) await forget(hosts, place, progress);
}

/** Without some of the hosts. */
export function stillKnown(hosts: Readonly<Record<string, Remembered>>, gone: readonly string[]): Readonly<Record<string, Remembered>> {
  return Object.fromEntries(Object.entries(hosts).filter(([key]) => !gone.includes(key)));
}
