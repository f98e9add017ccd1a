import { reservedNetworks } from "../cluster/reserved";
import type { Problem } from "../report";
import { type PlannedSubnet, reportOverlaps } from "../addresses/subnets";
import { planSpace } from "../addresses/space";
import { type NetworkArgs, networkOptions } from "../networks/args";
import { list, named, options, planOptions, text } from "../options";
import { planNetworkSubnets } from "../networks/plan";

/** Address space to divide among networks. */
export interface AddressesArgs {
  /** Private IPv4 space in CIDR form, /22 or larger. Its upper half is for networks. @default "10.96.0.0/14" */
  readonly addressSpace?: string;
  /** Networks by name, each with a size, or with a fixed subnet. */
  readonly networks: Readonly<Record<string, Pick<NetworkArgs, "prefix" | "subnet">>>;
  /** Your own networks that are already in use, in CIDR form. @default - only the well-known traps */
  readonly avoid?: readonly string[];
}

export const addressesOptions = options<AddressesArgs>(
  { of: "planAddresses", thing: "address space and its networks", example: "planAddresses({ networks: { web: {} } })" },
  // All options of a cluster's networks, so that one list can be given to both.
  { addressSpace: text, networks: named(networkOptions, "networks by name", "{ web: {} }"), avoid: list },
);

/** Where a network is. */
export interface PlannedAddress {
  /** In CIDR form. */
  readonly subnet: string;
  /** Its first address, which Docker uses for the gateway. */
  readonly gateway: string;
}

/** Where each network is. */
export interface PlannedAddresses {
  /** The whole of it, in CIDR form. */
  readonly addressSpace: string;
  /** By the networks' names, in CIDR form. */
  readonly networks: Readonly<Record<string, PlannedAddress>>;
  /** All of them. Do not use the plan if there are any. */
  readonly problems: readonly Problem[];
}

/**
 * Divides address space among networks, like a SwarmCluster. A network's address follows from its name and size. Adding or
 * removing a network never moves another, and the same names give the same addresses in any program. Touches nothing.
 *
 * @example
 * const { networks, problems } = planAddresses({ addressSpace: "10.64.0.0/16", networks: { web: {}, db: { prefix: 26 } } });
 */
export function planAddresses(args: AddressesArgs): PlannedAddresses {
  return planOptions<AddressesArgs, PlannedAddresses>(args, addressesOptions, { networks: {} }, shareOut);
}

function shareOut({ addressSpace, networks = {}, avoid = [] }: AddressesArgs): PlannedAddresses {
  const problems: Problem[] = [];
  const report = (path: string, message: string, fix: string): void => void problems.push({ path, message, fix });
  const reserved = reservedNetworks(avoid, [], [], [], {}, report);
  const space = planSpace(addressSpace, reserved, report);
  const lower = { network: space.lower, what: "the half of the address space that is for Docker and hosts" };
  const places = planNetworkSubnets(networks, { networks: space.networks, reserved: [...reserved, lower] }, report);
  reportOverlaps(
    [...places].map(([name, { subnet }]) => described(name, subnet, networks[name]?.subnet !== undefined)),
    [],
    report,
  );
  const planned = [...places].map(([name, { subnet, gateway = "" }]) => [name, { subnet, gateway }] as const);
  return { addressSpace: space.whole.toString(), networks: Object.fromEntries(planned), problems };
}

function described(name: string, cidr: string, pinned: boolean): PlannedSubnet {
  return { owner: `network ${name}`, purpose: "network", cidr, from: "", routes: "", pin: `networks.${name}.subnet`, pinned };
}
