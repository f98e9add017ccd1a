import { type Choices, noneOf } from "../../nearest";
import { show } from "../../report";
import type { Problem } from "../../report";
import type { HetznerHostsArgs, HetznerLocation } from "./args";
import { defaults } from "./defaults";

/** Which locations a private network can join. Source: docs.hetzner.com/cloud/networks/faq. */
export const networkZones: Readonly<Record<HetznerLocation, string>> = {
  fsn1: "eu-central",
  nbg1: "eu-central",
  hel1: "eu-central",
  ash: "us-east",
  hil: "us-west",
  sin: "ap-southeast",
};

const places: Choices = {
  what: "a location",
  known: Object.keys(networkZones),
  others: { falkenstein: "fsn1", nuremberg: "nbg1", nürnberg: "nbg1", helsinki: "hel1", ashburn: "ash", hillsboro: "hil", singapore: "sin" },
};

export interface Locations {
  readonly used: readonly HetznerLocation[];
  /** All locations are in it. */
  readonly networkZone: string;
  readonly problems: readonly Problem[];
}

export function planLocations(args: HetznerHostsArgs): Locations {
  const given: unknown = args.locations ?? [args.location ?? defaults.location];
  const problems: Problem[] = [];
  if (args.location !== undefined && args.locations !== undefined) {
    problems.push({ path: "locations", message: "location and locations are both given", fix: "keep one of them" });
  }
  if (!Array.isArray(given) || given.length === 0) {
    const fix = isLocation(given) ? `write it as ["${given}"]` : 'write names such as ["fsn1", "nbg1", "hel1"]';
    problems.push({ path: "locations", message: `${show(given)} names no location`, fix });
  }
  const pathOf = (index: number): string => (args.locations === undefined ? "location" : `locations[${index}]`);
  const named: readonly unknown[] = Array.isArray(given) ? given : [];
  named.forEach((location, index) => {
    if (isLocation(location)) return;
    const several = args.locations === undefined && Array.isArray(location);
    const [message, fix] = noneOf(location, places);
    problems.push({ path: pathOf(index), message, fix: several ? `write it as locations: ${show(location)}` : fix });
  });
  const known = named.filter(isLocation);
  const networkZone = networkZones[known[0] ?? defaults.location];
  const used = known.filter((location) => networkZones[location] === networkZone);
  for (const stray of known.filter((location) => !used.includes(location))) {
    const message = `${stray} is in ${networkZones[stray]}, and ${known[0]} in ${networkZone}: a network of Hetzner's joins locations of one network zone`;
    problems.push({ path: pathOf(named.indexOf(stray)), message, fix: "make its hosts another group" });
  }
  return { used, networkZone, problems };
}

function isLocation(value: unknown): value is HetznerLocation {
  return typeof value === "string" && Object.hasOwn(networkZones, value);
}
