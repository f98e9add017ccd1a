import { assignBlocks } from "../addresses/blocks";
import { Cidr, isCidr } from "../addresses/cidr";
import { hostNetworkOf } from "../overlays/docker-network";
import type { Placement } from "../overlays/overlay";
import { type Report, show } from "../report";
import type { NetworkArgs } from "./args";
import type { PlannedNetwork } from "./network";

type Slicing = Extract<Placement, { readonly kind: "slices" }>;

/** Gateway and broadcast take two addresses; below this nothing is left for containers worth the name. */
const longestSlice = 29;

/** A host's subnet as slices are written: relative to its first address. */
export function hostTemplate({ hostPrefix }: Slicing): Cidr {
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
  const assigned = assignBlocks(template, requests, [...ownSlices(slicing).values()]);
  for (const { key } of assigned.problems) {
    report(
      `networks.${key}`,
      `each host's subnet, a /${template.prefix}, has no slice left for it`,
      "give the networks longer prefixes, or the hosts larger subnets: the overlay's hostPrefix",
    );
  }
  return new Map(
    [...assigned.byKey].map(([key, slice]) => [key, { subnet: space.toString(), slice: slice.toString(), configFrom: hostNetworkOf(key) }]),
  );
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
