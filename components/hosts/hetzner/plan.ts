import { known } from "../cloud/given";
import { assigned, type HostDescription, type Site } from "../host";
import type { Problem } from "../../report";
import { numberedHosts } from "../numbered";
import type { HetznerHostArgs, HetznerHostsArgs, HetznerLocation } from "./args";
import { checkArgs } from "./check";
import { defaults } from "./defaults";
import { planLocations } from "./locations";

/** Processors for which images are made, as Hetzner calls them. */
export type Architecture = "x86" | "arm";

/** A group as it is described to the plan. */
export interface HetznerPlan {
  readonly site: Site;
  readonly networkZone: string;
  readonly hosts: readonly HostDescription[];
  readonly addressing: "planned" | "given";
  readonly problems: readonly Problem[];
}

/** Pure: what the plan of the cluster needs to know of the group, and all that is wrong with its arguments. */
export function planHetznerHosts(args: HetznerHostsArgs): HetznerPlan {
  const { hosts, problems } = numberedHosts(args);
  const locations = planLocations(args);
  const network = args.privateNetwork === undefined ? (args.network ?? defaults.network) : known(args.privateNetwork.cidr);
  const { networkZone } = locations;
  return {
    site: { key: args.site ?? `hetzner ${networkZone}`, mtu: args.mtu ?? defaults.mtu, ...(network !== undefined && { network }) },
    networkZone,
    hosts: hosts.map(({ place }) => describeHost(place, locations.used)),
    addressing: network === undefined ? "given" : "planned",
    problems: [...problems, ...locations.problems, ...checkArgs(args, hosts, networkZone)],
  };
}

/** A location has no network of its own: hosts of all locations have their addresses in the one subnet. */
function describeHost(place: string, locations: readonly HetznerLocation[]): HostDescription {
  const name = locations[(Number(place) - 1) % locations.length];
  return { place, publicAddress: assigned, ...(name !== undefined && { zone: { name } }) };
}

/** What a host is to be, with what is said of it alone. */
export function hostArgs({ each, serverType }: HetznerHostsArgs, place: string): HetznerHostArgs & { readonly serverType: string } {
  return { serverType: serverType ?? defaults.serverType, ...each?.[Number(place)] };
}

/** Hetzner has its ARM machines in types of their own: cax11 and so on. */
export function architectureOf(serverType: string): Architecture {
  return serverType.startsWith("cax") ? "arm" : "x86";
}
