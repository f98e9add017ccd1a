import type { Cidr } from "../addresses/cidr";
import { hostNetworkOf } from "../overlays/docker-network";
import type { Placement } from "../overlays/overlay";
import { longestRange } from "../overlays/ranges";
import type { Report } from "../report";
import type { NetworkArgs } from "./args";
import type { PlannedNetwork } from "./network";
import { refuseLabels } from "./slices";

type Ranging = Extract<Placement, { readonly kind: "ranges" }>;

function bitsOf({ places }: Ranging): number {
  return Math.round(Math.log2(places));
}

/** Prefix length of a host's place in the part of the address space for hosts. */
export function placePrefix(ranging: Ranging, space: Cidr): number {
  return space.prefix + bitsOf(ranging);
}

/** Networks' subnets, so large that each host has a range of it. */
export function planRanges(
  given: readonly (readonly [string, NetworkArgs])[],
  ranging: Ranging,
  report: Report,
  plan: (sizes: { readonly usual: number; readonly longest: number }) => ReadonlyMap<string, Pick<PlannedNetwork, "subnet">>,
): Map<string, Pick<PlannedNetwork, "subnet" | "configFrom">> {
  for (const [key, network] of given) refuseLabels(key, network, report);
  const planned = plan({ usual: ranging.rangePrefix - bitsOf(ranging), longest: longestRange - bitsOf(ranging) });
  return new Map([...planned].map(([key, { subnet }]) => [key, { subnet, configFrom: hostNetworkOf(key) }]));
}
