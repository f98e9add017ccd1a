import { assignBlocks } from "../addresses/blocks";
import { Cidr, isCidr, isPrivate } from "../addresses/cidr";
import type { Reserved } from "../addresses/subnets";
import { type Report, show } from "../report";
import type { OverlayPlan, Placement } from "../overlays/overlay";
import type { NetworkArgs } from "./args";
import type { PlannedNetwork } from "./network";
import { dockersOwn, hostNetworkOf, isNetworkName } from "../overlays/docker-network";
import { planRanges } from "./ranges";
import { planSlices } from "./slices";

export interface NetworkPlace {
  /** The half of the address space for networks. */
  readonly networks: Cidr;
  /** What pinned networks must keep clear of. */
  readonly reserved: readonly Reserved[];
  /** The space for each host's own subnet, if the overlay needs one. */
  readonly containers: Cidr;
}

/** Each network's place: a subnet of its own, or its slice of each host's. */
export function planNetworks(
  networks: Readonly<Record<string, NetworkArgs>>,
  place: NetworkPlace,
  overlay: OverlayPlan,
  underlayMtu: number,
  report: Report,
): PlannedNetwork[] {
  const given = usable(networks, report);
  const { placement } = overlay;
  if (placement.kind !== "subnets") refuseHostNetworks(Object.keys(networks), placement, report);
  const places = planPlaces(given, placement, place, report);
  return [...places].map(([name, where]) => ({
    name,
    ...where,
    driver: overlay.driver,
    internal: networks[name]?.internal ?? false,
    attachable: networks[name]?.attachable ?? true,
    labels: networks[name]?.labels ?? {},
    options: overlay.networkOptions(underlayMtu),
  }));
}

/** Each host has networks of its own beside the swarm's, and Docker has one of a name. */
function refuseHostNetworks(names: readonly string[], placement: Exclude<Placement, { readonly kind: "subnets" }>, report: Report): void {
  const bridge = placement.kind === "slices" ? placement.bridge : undefined;
  for (const name of names) {
    const held = names.find((other) => hostNetworkOf(other) === name);
    if (held !== undefined)
      report(`networks.${name}`, `each host has a network "${name}", which holds the addresses of ${held}`, "choose another name");
    if (name === bridge) {
      const fix = "choose another name, or set the overlay's bridge to another one or to false";
      report(`networks.${name}`, `each host has a network "${name}" of its own, which the overlay makes`, fix);
    }
  }
  const of = bridge === undefined ? undefined : names.find((name) => hostNetworkOf(name) === bridge);
  if (of !== undefined) report("overlay.bridge", `each host has a network "${bridge}", which holds the addresses of ${of}`, "choose another name");
}

function planPlaces(given: Given, placement: Placement, place: NetworkPlace, report: Report): Map<string, Where> {
  switch (placement.kind) {
    case "subnets":
      return planOwnSubnets(given, place, report);
    case "slices":
      return planSlices(given, placement, place.containers, report);
    case "ranges":
      return planRanges(given, placement, report, (sizes) => planOwnSubnets(given, place, report, sizes));
    default:
      return placement satisfies never;
  }
}

/** Networks with subnets of their own, and nothing else of them. */
export function planNetworkSubnets(
  networks: Readonly<Record<string, NetworkArgs>>,
  place: Pick<NetworkPlace, "networks" | "reserved">,
  report: Report,
): ReadonlyMap<string, Pick<PlannedNetwork, "subnet" | "gateway">> {
  return planOwnSubnets(usable(networks, report), place, report);
}

function usable(networks: Readonly<Record<string, NetworkArgs>>, report: Report): Given {
  return Object.entries(networks).filter(([key, network]) => isNetwork(key, network, report));
}

/** Says what is wrong with a network wherever it is to lie. @returns false where nothing can be planned for it */
function isNetwork(key: string, network: NetworkArgs, report: Report): boolean {
  const path = `networks.${key}`;
  if (typeof network !== "object" || (network as unknown) === null) {
    report(path, `${show(network)} does not describe a network`, "write {} for one with all defaults");
    return false;
  }
  if (network.subnet !== undefined && network.prefix !== undefined) {
    report(`${path}.prefix`, "subnet and prefix are both given", "keep one of them; a subnet has its prefix in it");
  }
  for (const label of Object.keys(network.labels ?? {})) {
    if (label.startsWith("pulumi-swarm.")) report(`${path}.labels`, `the label ${label} is kept for this package`, "name it otherwise");
  }
  if (!isNetworkName(key)) {
    if (dockersOwn.includes(key)) report(path, `"${key}" is a network of Docker's own`, "choose another name");
    else report(path, `"${key}" cannot name a Docker network`, "use 2 to 64 letters, digits, hyphens, dots or underscores, a letter or digit first");
  }
  return true;
}

type Given = readonly (readonly [string, NetworkArgs])[];
type Where = Pick<PlannedNetwork, "subnet" | "gateway" | "slice" | "configFrom">;

/** Prefix lengths of networks' subnets. */
export interface SubnetSizes {
  readonly usual: number;
  readonly longest: number;
}

const shortest = 16;
const sizesOfOwn: SubnetSizes = { usual: 24, longest: 28 };

function planOwnSubnets(
  given: Given,
  place: Pick<NetworkPlace, "networks" | "reserved">,
  report: Report,
  sizes = sizesOfOwn,
): Map<string, Pick<PlannedNetwork, "subnet" | "gateway">> {
  const { usual, longest } = sizes;
  const requests = given.map(([key, network]) => {
    const path = `networks.${key}`;
    const prefix = network.prefix ?? usual;
    if (!Number.isInteger(prefix) || prefix < shortest || prefix > longest) {
      report(`${path}.prefix`, `${show(prefix)} is not usable`, `give a prefix length from ${shortest} to ${longest}`);
    }
    const pin = network.subnet === undefined ? undefined : pinnedSubnet(`${path}.subnet`, network.subnet, place, sizes, report);
    return { key, prefix: Math.min(longest, Math.max(shortest, Math.trunc(prefix) || usual)), ...(pin && { pin }) };
  });
  const blocks = assignBlocks(place.networks, requests);
  const pins = new Set(requests.flatMap(({ key, pin }) => (pin ? [key] : [])));
  for (const { key, message, fix } of blocks.problems) report(`networks.${key}${pins.has(key) ? ".subnet" : ""}`, message, fix);
  return new Map([...blocks.byKey].map(([name, block]) => [name, { subnet: block.toString(), gateway: block.address(1) }]));
}

function pinnedSubnet(
  path: string,
  text: string,
  { reserved, networks }: Pick<NetworkPlace, "networks" | "reserved">,
  { longest }: SubnetSizes,
  report: Report,
): Cidr | undefined {
  const pin = Cidr.parse(text);
  if (!isCidr(pin)) {
    report(path, pin.problem, pin.fix);
    return undefined;
  }
  if (pin.prefix < shortest || pin.prefix > longest) {
    const fix = `give a prefix length from ${shortest} to ${longest}`;
    report(path, `${pin} is too ${pin.prefix < shortest ? "large" : "small"} for one network`, fix);
    return undefined;
  }
  if (!isPrivate(pin)) {
    report(path, `${pin} are public addresses`, `take private addresses${suchAs(networks, "some")}`);
    return undefined;
  }
  const clash = reserved.find(({ network }) => network.overlaps(pin));
  if (!clash) return pin;
  report(path, `${pin} overlaps ${clash.network}, ${clash.what}`, `choose one that nothing else uses${suchAs(networks, "one")}`);
  // Elsewhere it overlaps nothing: each problem is told once.
  return undefined;
}

/** None where the address space is wrong itself, which is another problem. */
function suchAs(networks: Cidr, some: "one" | "some"): string {
  return isPrivate(networks) ? `, such as ${some} of ${networks}` : "";
}
