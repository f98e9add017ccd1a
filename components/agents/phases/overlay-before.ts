import { isDeepStrictEqual } from "node:util";
import { type FoundNetwork, networksOf } from "../../networks/switch";
import type { OverlayRequest, OverlayWays, RememberedOverlay, RemovedNetworks, SwarmRequest, SwarmResponse } from "../request";
import { havingEngines, type Looked } from "./look";

/*
 * What is remembered of an overlay, so that an edit of it, finished or not, is known to the next run.
 */

/** Of a run before there were others. */
export const unknownOverlay = { kind: "native", slices: {} } as const;

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
  const there = await networksOf(havingEngines(hosts));
  if (!there) return removed;
  const names = removed.names.filter((name) => !there.includes(name));
  if (names.length === 0) return undefined;
  say(
    `warning: ${names.length === 1 ? "the network" : "the networks"} ${names.join(", ")} went for a change of the overlay that was not finished, and is taken back now. ` +
      `Fix: another membership.recheck makes ${names.length === 1 ? "it" : "them"} again`,
  );
  return { ...removed, names };
}
