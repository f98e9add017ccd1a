import { type FoundNetwork, networksToMakeAnew, refuseInUse, removeNetworks } from "../../networks/switch";
import type { FirewallHost } from "../../firewall/rule";
import type { OverlayHost, OverlayWork } from "../../overlays/agent";
import { isOverlayKind, overlayAgents } from "../../overlays/agents";
import type { OverlayKind } from "../../overlays/overlay";
import type { Failure } from "../../remote/each";
import type { ReachedHost } from "../fleet";
import type { SwarmRequest, SwarmResponse } from "../request";
import { announce, progress, sleep, waiting } from "../run";
import type { Departing } from "./departing";
import type { Ready } from "./engines";
import { havingEngines, type Looked } from "./look";
import { unknownOverlay } from "./overlay-before";

const io = { progress };

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
  const having = havingEngines(hosts);
  const networks = await networksToMakeAnew(request.cluster, before, request.overlay, having);
  await refuseInUse(networks, { from: before.kind, to: request.overlay.kind }, having);
  return networks;
}

/** What the last overlay put on hosts goes, and before it the networks that were on it. */
export async function leaveOtherOverlays(
  request: SwarmRequest,
  networks: readonly FoundNetwork[],
  hosts: readonly Looked[],
  failures: Failure[],
): Promise<void> {
  await removeNetworks(networks, hosts, { progress: (line) => progress(undefined, line), waiting, sleep, now: Date.now });
  const kinds = new Set(hosts.flatMap(({ probe }) => probe.folders.filter(isOverlayKind)).filter((kind) => kind !== request.overlay.kind));
  for (const kind of kinds) {
    const having = hosts.filter(({ probe }) => probe.folders.includes(kind));
    progress(undefined, `taking ${kind} off ${having.map(({ key }) => key).join(", ")}`);
    failures.push(...(await overlayAgents[kind].down(having, io)));
  }
}

/** The overlay on all hosts that can be reached, before they join the swarm. */
export async function raiseOverlay(
  request: SwarmRequest,
  hosts: readonly Ready[],
  departing: readonly Departing[],
  failures: Failure[],
): Promise<void> {
  const work = overlayWork(request, hosts, departing);
  if (!work) return;
  announce(`preparing ${request.overlay.kind} on`, hosts.length);
  failures.push(...(await overlayAgents[request.overlay.kind].up(work)));
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
  { hosts: asked, overlay, underlayMtu, tunnel }: SwarmRequest,
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
    ...(tunnel && { tunnelInterface: tunnel.interface }),
    underlayMtu,
    mtu: overlay.mtu,
    io,
  };
}
