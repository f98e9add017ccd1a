import { isDeepStrictEqual } from "node:util";
import { type FoundNetwork, networksOf, networksToMakeAnew, refuseInUse, removeNetworks } from "../../networks/switch";
import type { FirewallHost } from "../../firewall/rule";
import type { OverlayHost, OverlayWork } from "../../overlays/agent";
import { isOverlayKind, overlayAgents } from "../../overlays/agents";
import type { OverlayKind } from "../../overlays/overlay";
import type { Failure } from "../../remote/each";
import type { ReachedHost } from "../fleet";
import type { OverlayRequest, OverlayWays, RememberedOverlay, RemovedNetworks, SwarmRequest, SwarmResponse } from "../request";
import { progress, sleep } from "../run";
import type { Departing } from "./departing";
import type { Ready } from "./engines";
import type { Looked } from "./look";

const io = { progress };

/** Of a run before there were others. */
const unknownOverlay = { kind: "native", slices: {} } as const;

/**
 * Networks that an edit of the overlay would pull away from under what uses them. Nothing has been changed when this refuses.
 *
 * @returns the networks that have to go before the overlay can change; nobody uses them.
 */
export async function checkSwitch(
  request: SwarmRequest,
  previous: SwarmResponse | undefined,
  hosts: readonly Looked[],
): Promise<readonly FoundNetwork[]> {
  if (!previous) return [];
  const before = previous.overlay ?? unknownOverlay;
  const having = hosts.filter(({ probe }) => probe.engine !== "");
  const networks = await networksToMakeAnew(request.cluster, before, request.overlay, having);
  await refuseInUse(networks, { from: before.kind, to: request.overlay.kind }, having);
  return networks;
}

/** What a run that is cut off after it must leave behind. */
export function removedNow(
  { recheck }: Pick<SwarmRequest, "recheck">,
  before: Pick<SwarmResponse, "overlay"> | undefined,
  networks: readonly FoundNetwork[],
): RemovedNetworks {
  const { kind, slices } = before?.overlay ?? unknownOverlay;
  return { names: networks.map(({ network }) => network.Name), from: { kind, slices }, recheck };
}

/**
 * Where this request has the overlay of before again, the networks' resources know of no change, and make none that an unfinished change
 * took away.
 *
 * @returns what is still to be remembered of them.
 */
export async function lookForRemoved(
  { overlay, recheck }: Pick<SwarmRequest, "overlay" | "recheck">,
  memory: Pick<SwarmResponse, "removed" | "overlay"> | undefined,
  hosts: readonly Pick<Looked, "key" | "docker" | "probe">[],
  say: (line: string) => void,
): Promise<RemovedNetworks | undefined> {
  const { removed } = memory ?? {};
  if (!removed) return undefined;
  const isOn = (other: Pick<OverlayRequest, "kind" | "slices"> | undefined): boolean =>
    other !== undefined && other.kind === overlay.kind && isDeepStrictEqual(other.slices, overlay.slices);
  // Under way still, or done.
  if (!isOn(removed.from)) return isOn(memory?.overlay) ? undefined : removed;
  if (recheck !== removed.recheck) return undefined;
  const there = await networksOf(hosts.filter(({ probe }) => probe.engine !== ""));
  if (!there) return removed;
  const names = removed.names.filter((name) => !there.includes(name));
  if (names.length === 0) return undefined;
  say(
    `warning: ${names.length === 1 ? "the network" : "the networks"} ${names.join(", ")} went for a change of the overlay that was not finished, and is taken back now. ` +
      `Fix: another membership.recheck makes ${names.length === 1 ? "it" : "them"} again`,
  );
  return { ...removed, names };
}

/** What the last overlay put on hosts goes, and before it the networks that were on it. */
export async function leaveOtherOverlays(
  request: SwarmRequest,
  networks: readonly FoundNetwork[],
  hosts: readonly Looked[],
  failures: Failure[],
): Promise<void> {
  await removeNetworks(networks, hosts, { progress: (line) => progress(undefined, line), sleep, now: Date.now });
  const kinds = new Set(hosts.flatMap(({ probe }) => probe.folders.filter(isOverlayKind)).filter((kind) => kind !== request.overlay.kind));
  for (const kind of kinds) {
    const having = hosts.filter(({ probe }) => probe.folders.includes(kind));
    progress(undefined, `taking ${kind} off ${having.map(({ key }) => key).join(", ")}`);
    failures.push(...(await overlayAgents[kind].down(having, io)));
  }
}

/** How containers' packets come to hosts once this request is fulfilled. */
function waysOf({ firewall, overlay }: Pick<SwarmRequest, "firewall" | "overlay">): OverlayWays {
  const routedIn = overlay.onHosts?.routedIn;
  return { rules: (firewall?.rules ?? []).filter(({ name }) => carriesData(name)), ...(routedIn && { routedIn }) };
}

/** An overlay's rules for containers' packets are called so. */
function carriesData(rule: string): boolean {
  return rule.startsWith("overlay-data");
}

export function rememberedOverlay(request: Pick<SwarmRequest, "firewall" | "overlay">): RememberedOverlay {
  const { kind, slices } = request.overlay;
  return { kind, slices, ways: waysOf(request) };
}

/**
 * The ways of before that the request leaves, while the overlay stays: hosts change one by one, and a packet that is on the old way must
 * come in until all have the new one.
 *
 * @returns undefined where it leaves none.
 */
export function leavingWays(
  request: Pick<SwarmRequest, "firewall" | "overlay" | "tunnel">,
  before: RememberedOverlay | undefined,
): OverlayWays | undefined {
  if (before?.ways === undefined || before.kind !== request.overlay.kind) return undefined;
  const now = waysOf(request);
  const over = request.tunnel ? "tunnel" : "site";
  // Beside a tunnel nothing is let in that came without it.
  const rules = before.ways.rules.filter((rule) => rule.over === over && !now.rules.some((each) => isDeepStrictEqual(each, rule)));
  const routedIn = isDeepStrictEqual(before.ways.routedIn, now.routedIn) ? undefined : before.ways.routedIn;
  return rules.length === 0 && !routedIn ? undefined : { rules, ...(routedIn && { routedIn }) };
}

/** The overlay on all hosts that can be reached, before they join the swarm. */
export async function raiseOverlay(
  request: SwarmRequest,
  hosts: readonly Ready[],
  departing: readonly Departing[],
  failures: Failure[],
): Promise<void> {
  const work = overlayWork(request, hosts, departing);
  if (work) failures.push(...(await overlayAgents[request.overlay.kind].up(work)));
}

/** The others forget the hosts that have left the swarm, and these are rid of it. */
export async function departFromOverlay(
  request: SwarmRequest,
  hosts: readonly Ready[],
  gone: readonly Departing[],
  failures: Failure[],
): Promise<void> {
  const work = overlayWork(request, hosts, gone);
  if (work) failures.push(...(await overlayAgents[request.overlay.kind].depart(work)));
}

/** All of it goes: what is there now, and what an earlier run may have left of another one. */
export async function removeOverlays(hosts: readonly ReachedHost[], failures: Failure[]): Promise<void> {
  for (const kind of Object.keys(overlayAgents) as OverlayKind[]) failures.push(...(await overlayAgents[kind].down(hosts, io)));
}

function overlayWork(
  { hosts: asked, overlay, underlayMtu }: SwarmRequest,
  ready: readonly Ready[],
  departing: readonly Departing[],
): OverlayWork | undefined {
  if (!overlay.onHosts) return undefined;
  const { routedIn: _routedIn, ...onHosts } = overlay.onHosts;
  const reachable = new Map(ready.map((host) => [host.key, host]));
  const described = (host: FirewallHost & { readonly containerSubnet?: string }): OverlayHost => {
    const { key, role, group, site, address, publicAddress, seenAs, tunnelAddress, containerSubnet } = host;
    const { session, engine = "" } = reachable.get(key) ?? {};
    return {
      key,
      role,
      group,
      site,
      address,
      engine,
      ...(publicAddress !== undefined && { publicAddress }),
      ...(seenAs !== undefined && { seenAs }),
      ...(tunnelAddress !== undefined && { tunnelAddress }),
      ...(containerSubnet !== undefined && { containerSubnet }),
      ...(session && { session }),
    };
  };
  return {
    ...onHosts,
    hosts: asked.map(described),
    departing: departing.map(({ host, reached }) => ({ ...described(host), ...(reached && { session: reached.session }) })),
    underlayMtu,
    mtu: overlay.mtu,
    io,
  };
}
