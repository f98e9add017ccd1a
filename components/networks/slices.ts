import { assignBlocks, type BlockRequest } from "../addresses/blocks";
import { Cidr, isCidr } from "../addresses/cidr";
import { hostNetworkOf } from "../overlays/docker-network";
import type { Placement } from "../overlays/overlay";
import { fewOf, type Report, show } from "../report";
import type { NetworkArgs } from "./args";
import type { PlannedNetwork } from "./network";

type Slicing = Extract<Placement, { readonly kind: "slices" }>;

/** Gateway and broadcast take two addresses; below this nothing is left for containers worth the name. */
const longestSlice = 29;
/** Of the largest subnet that a host may have. */
const shortestHostPrefix = 20;

/** A host's subnet as slices are written: relative to its first address. */
export function hostTemplate({ hostPrefix }: Pick<Slicing, "hostPrefix">): Cidr {
  return Cidr.at(0n, hostPrefix);
}

/** The overlay's own slices: from the end on, so that networks never move them. */
export function ownSlices(slicing: Slicing): Map<string, Cidr> {
  const template = hostTemplate(slicing);
  const slices = new Map<string, Cidr>();
  let end = template.last + 1n;
  for (const [name, prefix] of Object.entries(slicing.own).sort(([, one], [, other]) => one - other)) {
    const slice = Cidr.at(end - (1n << BigInt(32 - prefix)), prefix);
    slices.set(name, slice);
    end = slice.first;
  }
  return slices;
}

/** Each network's slice of every host's subnet, at a place that follows from its name. */
export function planSlices(
  given: readonly (readonly [string, NetworkArgs])[],
  slicing: Slicing,
  space: Cidr,
  report: Report,
): Map<string, Pick<PlannedNetwork, "subnet" | "slice" | "configFrom">> {
  const template = hostTemplate(slicing);
  const requests = given.map(([key, network]) => {
    refuseUnsliced(key, network, report);
    const prefix = network.prefix ?? slicing.slicePrefix;
    const usable = Number.isInteger(prefix) && prefix >= template.prefix && prefix <= longestSlice;
    if (!usable) {
      report(
        `networks.${key}.prefix`,
        `${show(prefix)} is not usable: a network has a slice of each host's /${template.prefix} on this overlay`,
        `give a prefix length from ${template.prefix} to ${longestSlice}`,
      );
    }
    const pin = network.subnet === undefined ? undefined : pinnedSlice(`networks.${key}.subnet`, network.subnet, template, report);
    return { key, prefix: usable ? prefix : slicing.slicePrefix, ...(pin && { pin }) };
  });
  const placed = placeSlices(template, requests, [...ownSlices(slicing).values()], report);
  const without = requests.filter(({ key, pin }) => !pin && !placed.has(key));
  if (without.length > 0) reportNoRoom(requests, without, placed, slicing, report);
  return new Map([...placed].map(([key, slice]) => [key, { subnet: space.toString(), slice: slice.toString(), configFrom: hostNetworkOf(key) }]));
}

/** The larger first, so that whatever fits in any order fits. */
function placeSlices(template: Cidr, requests: readonly BlockRequest[], own: readonly Cidr[], report: Report): Map<string, Cidr> {
  const pinned = assignBlocks(
    template,
    requests.filter(({ pin }) => pin),
    own,
  );
  for (const { key, message } of pinned.problems) {
    const clash = message.replace("an address in use", "the host's own network");
    report(`networks.${key}.subnet`, clash, "choose a slice that nothing else has, or leave it out");
  }
  const placed = new Map(pinned.byKey);
  const sizes = [...new Set(requests.map(({ prefix }) => prefix))].sort((one, other) => one - other);
  for (const size of sizes) {
    const alike = requests.filter(({ prefix, pin }) => prefix === size && !pin);
    for (const [key, slice] of assignBlocks(template, alike, [...own, ...placed.values()]).byKey) placed.set(key, slice);
  }
  return placed;
}

/** One problem, however many networks have no place. */
function reportNoRoom(
  requests: readonly BlockRequest[],
  without: readonly BlockRequest[],
  placed: ReadonlyMap<string, Cidr>,
  slicing: Slicing,
  report: Report,
): void {
  const { hostPrefix, own } = slicing;
  const fits = (wanted: readonly BlockRequest[], prefix: number, used: readonly Cidr[]): boolean =>
    placeSlices(hostTemplate({ hostPrefix: prefix }), wanted, used, () => {}).size === wanted.length;
  const size = Math.min(...without.map(({ prefix }) => prefix));
  const holds =
    hostTemplate(slicing).count(size) - [...new Set([...ownSlices(slicing).values()].map(({ first }) => first >> BigInt(32 - size)))].length;
  const names = without.map(({ key }) => key).sort();
  const all = without.length === requests.length ? "" : `, and there are ${requests.length} networks`;
  const beside = Object.keys(own).length > 0 ? " beside the host's own network" : "";
  const used = [...ownSlices(slicing).values(), ...placed.values()];
  const longer = whole(size + 1, longestSlice).find((prefix) =>
    fits(
      without.map(({ key, prefix: wanted }) => ({ key, prefix: Math.max(wanted, prefix) })),
      hostPrefix,
      used,
    ),
  );
  const larger = whole(shortestHostPrefix, hostPrefix - 1)
    .reverse()
    .find((prefix) =>
      fits(
        requests.map(({ pin: _pin, ...request }) => request),
        prefix,
        [...ownSlices({ ...slicing, hostPrefix: prefix }).values()],
      ),
    );
  const ways = [
    ...(longer === undefined ? [] : [`give ${names.length === 1 ? names.join() : "each of these"} prefix: ${longer}`]),
    ...(larger === undefined ? [] : [`in a new cluster set the overlay's hostPrefix: ${larger}, which has room for all`]),
    `remove ${without.length === 1 ? "a network" : `${without.length} networks`}`,
  ];
  report(
    "networks",
    `each host's subnet, a /${hostPrefix}, has no slice left for ${fewOf(names)}: it holds ${holds} of a /${size}${beside}${all}`,
    ways.join(", or "),
  );
}

function whole(least: number, most: number): number[] {
  return Array.from({ length: Math.max(0, most - least + 1) }, (_, index) => least + index);
}

function refuseUnsliced(key: string, network: NetworkArgs, report: Report): void {
  if (network.internal === true) {
    report(
      `networks.${key}.internal`,
      "a network without a way out cannot be routed to other hosts on this overlay",
      "leave internal out, or take native(), weave() or openvswitch()",
    );
  }
  refuseLabels(key, network, report);
}

/** @param key Of a network that takes its addresses from one of each host's own. */
export function refuseLabels(key: string, { labels = {} }: NetworkArgs, report: Report): void {
  if (Object.keys(labels).length === 0) return;
  report(`networks.${key}.labels`, "Docker takes no labels for a network whose addresses each host keeps", "leave labels out");
}

function pinnedSlice(path: string, text: string, template: Cidr, report: Report): Cidr | undefined {
  const pin = Cidr.parse(text);
  if (isCidr(pin) && template.contains(pin) && pin.prefix <= longestSlice) return pin;
  report(
    path,
    `${show(text)} is no slice of each host's subnet, which is what a network has on this overlay`,
    `leave it out, or write it relative to the host's subnet, between ${template} and its end, such as ${template.subnet(template.prefix + 2, 1)}`,
  );
  return undefined;
}
