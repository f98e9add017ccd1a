import type { PlannedHost, Site } from "../hosts/host";
import type { Groups } from "../hosts/plan";
import { Cidr, isCidr } from "../addresses/cidr";
import { assignBlocks } from "../addresses/blocks";
import { planPieces, type PlannedPieces } from "../addresses/pieces";
import type { Space } from "../addresses/space";
import { pinPath, type Pins, type PlannedSubnet } from "../addresses/subnets";
import type { PoliciesOnHosts } from "../network-policy/compile";
import type { NetworkPolicy } from "../network-policy/policy";
import type { PlannedNetwork } from "../networks/network";
import { placePrefix } from "../networks/ranges";
import type { NetworkSlice } from "../overlays/docker-network";
import type { NetworkRanges } from "../overlays/ranges";
import { ownSlices } from "../networks/slices";
import type { OverlayPlan } from "../overlays/overlay";
import type { PeersPlan } from "../overlays/peers";
import type { TrunksPlan } from "../overlays/trunks";
import type { Report } from "../report";

/** The overlay's part of the work on hosts. */
export interface OverlayOnHosts {
  /** The overlay's own settings from its plan. */
  readonly settings: object;
  /** The space for each host's own subnet, or for networks of which each host has a range. */
  readonly space: string;
  /** Each network's part of a host's subnet. */
  readonly slices: readonly NetworkSlice[];
  /** Networks of which each host has a range. @default - the overlay has none */
  readonly ranges?: NetworkRanges;
  /** What is allowed between networks. @default - nothing */
  readonly policy?: PoliciesOnHosts;
  /** Where packets for containers arrive that other hosts route here. @default - nowhere */
  readonly routedIn?: {
    /** Of all containers, in CIDR form. */
    readonly network: string;
    /** On which they arrive. @default - any */
    readonly interface?: string;
  };
}

/** Whether containers' packets cross the site's network as they are, not wrapped in anything. */
export function crossesBare(routedIn: OverlayPlan["routedIn"]): boolean {
  return routedIn !== undefined && routedIn.interface === undefined;
}

/** Such packets come as far as neighbours, at best: no router of a cloud knows a way to containers' addresses. */
export function checkRoutes(groups: Groups, hosts: readonly PlannedHost[], { kind, routedIn }: OverlayPlan, report: Report): void {
  if (!crossesBare(routedIn)) return;
  const bare = `${kind} hands on packets with containers' own addresses`;
  const wrapped = `take ${kind === "calico" ? "wireguard() as the underlay" : 'flannel({ backend: "vxlan" })'} or another overlay that wraps them`;
  for (const [key, { noContainerRoutes: reason }] of groups) {
    if (reason !== undefined) report("overlay", `${bare}, and hosts of ${key} would not get them: ${reason}`, wrapped);
  }
  const barred = new Set(groups.flatMap(([, { site, noContainerRoutes }]) => (noContainerRoutes === undefined ? [] : [site.key])));
  for (const site of new Set(hosts.map((host) => host.site).filter((key) => !barred.has(key)))) {
    const zones = [...new Set(hosts.flatMap((host) => (host.site === site && host.zone !== undefined ? [host.zone] : [])))].sort();
    if (zones.length > 1) {
      report(
        "overlay",
        `${bare} to neighbours, and the hosts of site "${site}" are in the subnets of the zones ${zones.join(", ")}: the routers between them know no way to containers`,
        `${wrapped}, or put all hosts of the site into one zone (zones: ["${zones[0]}"])`,
      );
    }
  }
}

/** What each host gets, and machines outside that take part in networks. */
export interface PlannedContainers extends PlannedPieces {
  /** The place of those machines among the hosts'. @default - there are none, or none is left */
  readonly outside?: Cidr;
}

/** A subnet for each host, where the overlay routes. */
export function planContainers(
  hosts: readonly PlannedHost[],
  { containers }: Space,
  overlay: OverlayPlan,
  pins: Pins,
  report: Report,
): PlannedContainers | undefined {
  const { placement } = overlay;
  if (placement.kind === "subnets") return undefined;
  if (placement.kind === "ranges") return planHostPlaces(hosts, containers, placement, pins, report);
  const kind = {
    owner: "containers",
    pieces: "subnets for containers",
    blockPrefix: placement.hostPrefix - Math.ceil(Math.log2(placement.hostsPerGroup)),
    piecePrefix: placement.hostPrefix,
    pinPrefixes: [containers.prefix, placement.hostPrefix - 2] as const,
    withoutEnds: false,
    purpose: (group: string) => `a /${placement.hostPrefix} for the containers of each host of ${group}`,
    from: `${containers}, the part of the address space for hosts' containers`,
    routes: "each to its host, by the overlay",
    fix: "make a group of their own for those that are new",
  };
  const planned = planPieces(hosts, containers, kind, pins, report);
  for (const { owner, cidr, pin } of planned.blocks) {
    const block = Cidr.parse(cidr);
    if (isCidr(block) && !containers.contains(block)) {
      report(pin, `${block} of ${owner} is not in ${containers}, which the overlay routes`, "pin a block of it");
    }
  }
  return planned;
}

/** The same of a place for each host, by which it has its range of each network. */
function planHostPlaces(
  hosts: readonly PlannedHost[],
  containers: Space["containers"],
  placement: Extract<OverlayPlan["placement"], { readonly kind: "ranges" }>,
  pins: Pins,
  report: Report,
): PlannedContainers {
  const piecePrefix = placePrefix(placement, containers);
  const blockPrefix = piecePrefix - Math.round(Math.log2(placement.hostsPerGroup));
  const outsidePin = placement.outside === true ? pins.take(outsideOwner, blockPrefix, piecePrefix) : undefined;
  const kind = {
    owner: "places",
    pieces: "places of hosts",
    blockPrefix,
    piecePrefix,
    pinPrefixes: [containers.prefix, piecePrefix] as const,
    withoutEnds: false,
    purpose: (group: string) => `where the hosts of ${group} have their ranges of each network: as it lies in ${containers}, so they lie there`,
    from: `${containers}, the part of the address space for hosts`,
    routes: "nowhere: no address of it is in use",
    fix: "make a group of their own for those that are new",
    fixNoBlock: "give the overlay a larger mostHosts, or a smaller hostsPerGroup",
    ...(outsidePin && { taken: [outsidePin] }),
  };
  const planned = planPieces(hosts, containers, kind, pins, report);
  for (const { owner, cidr, pin } of planned.blocks) {
    const block = Cidr.parse(cidr);
    if (isCidr(block) && !containers.contains(block)) {
      report(pin, `${block} of ${owner} is not in ${containers}, where hosts have their places`, "pin a block of it");
    }
  }
  return placement.outside === true ? withOutside(planned, containers, { piecePrefix, pin: outsidePin }, report) : planned;
}

/** Owner of the place that machines outside have among the hosts'. */
const outsideOwner = "trunks";

/** Where no host is and none may come: after all of them, so that it moves nothing. */
function withOutside(
  { pieces, blocks }: PlannedPieces,
  containers: Cidr,
  { piecePrefix, pin }: { readonly piecePrefix: number; readonly pin: Cidr | undefined },
  report: Report,
): PlannedContainers {
  if (pin && !containers.contains(pin)) {
    report(pinPath(outsideOwner), `${pin} is not in ${containers}, where hosts have their places`, "pin a part of it");
    return { pieces, blocks };
  }
  const taken = [...blocks.map(({ cidr }) => Cidr.parse(cidr)).filter(isCidr), ...pieces.values()];
  const outside = pin ?? assignBlocks(containers, [{ key: outsideOwner, prefix: piecePrefix }], taken).byKey.get(outsideOwner);
  if (!outside) {
    const fix = "give the overlay a larger mostHosts, or a smaller hostsPerGroup";
    report("overlay.trunks", `groups of hosts have all of ${containers}, and no place in it is left for machines outside`, fix);
    return { pieces, blocks };
  }
  const block: PlannedSubnet = {
    owner: outsideOwner,
    purpose: `where machines on trunks have their range of a network: as it lies in ${containers}, so that lies there`,
    cidr: outside.toString(),
    from: `${containers}, the part of the address space for hosts`,
    routes: "nowhere: no address of it is in use",
    pin: pinPath(outsideOwner),
    pinned: pin !== undefined,
  };
  return { pieces, blocks: [...blocks, block], outside };
}

/** Of the plan so far, what routers outside the cluster are planned among. */
interface AroundPeers {
  readonly hosts: readonly PlannedHost[];
  readonly groups: Groups;
  readonly sites: readonly Site[];
  readonly networks: readonly PlannedNetwork[];
  /** As they were written. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly space: Space;
  readonly subnets: readonly PlannedSubnet[];
}

/** Sessions of hosts with routers outside the cluster, where the overlay has such. */
export function planOutside({ peers: plan }: OverlayPlan, { groups, networks, given, space, ...around }: AroundPeers, report: Report): PeersPlan {
  const planned = plan?.({
    ...around,
    groups: groups.map(([key, { role, noContainerRoutes }]) => ({ key, role, ...(noContainerRoutes !== undefined && { noContainerRoutes }) })),
    networkNames: Object.keys(given),
    slices: networks.flatMap(({ name, slice }) => (slice === undefined ? [] : [{ name, slice }])),
    addressSpace: space.whole.toString(),
    containers: space.containers.toString(),
  });
  for (const { path, message, fix } of planned?.problems ?? []) report(path, message, fix);
  return planned ?? { peers: [], rules: [], settings: {}, problems: [], warnings: [] };
}

/** Of the plan so far, what trunks are planned among. */
interface AroundTrunks extends Pick<AroundPeers, "hosts" | "groups" | "networks" | "given" | "space"> {
  readonly outside: Cidr | undefined;
  readonly mtu: number;
}

/** VLANs outside whose machines take part in networks, where the overlay has such. */
export function planTrunksOf({ trunks: plan }: OverlayPlan, { groups, given, space, outside, ...around }: AroundTrunks, report: Report): TrunksPlan {
  const planned = plan?.({
    ...around,
    groups: groups.map(([key, { role, noContainerRoutes }]) => ({ key, role, ...(noContainerRoutes !== undefined && { noContainerRoutes }) })),
    networkNames: Object.keys(given),
    places: space.containers.toString(),
    ...(outside && { outside: outside.toString() }),
  });
  for (const { path, message, fix } of planned?.problems ?? []) report(path, message, fix);
  return planned ?? { trunks: [], settings: {}, problems: [], warnings: [] };
}

/** What hosts are told to do for the overlay. */
export function planOnHosts(
  settings: object,
  { placement, routedIn }: OverlayPlan,
  { containers, networks: inNetworks }: Space,
  networks: readonly PlannedNetwork[],
  policies: readonly NetworkPolicy[],
): OverlayOnHosts {
  if (placement.kind === "ranges") {
    const space = inNetworks.toString();
    const ranges = { places: containers.toString(), networks: networks.map(({ name, subnet, internal }) => ({ name, subnet, internal })) };
    return { settings, space, slices: [], ranges, ...(routedIn && { routedIn: { network: space, ...routedIn } }) };
  }
  const own = placement.kind === "slices" ? [...ownSlices(placement)].map(([name, slice]) => ({ name, slice: slice.toString() })) : [];
  return {
    settings,
    space: containers.toString(),
    slices: [...networks.flatMap(({ name, slice }) => (slice === undefined ? [] : [{ name, slice }])), ...own],
    ...(placement.kind === "slices" && policies.length > 0 && { policy: { policies, hostPrefix: placement.hostPrefix } }),
    ...(routedIn && { routedIn: { network: containers.toString(), ...routedIn } }),
  };
}
