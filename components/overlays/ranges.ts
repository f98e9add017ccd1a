import { Cidr, isCidr } from "../addresses/cidr";

/** A range's first address and the host's own take two; below this nothing is left for containers worth the name. */
export const longestRange = 29;

/** A network with a subnet of its own, of which each host has a range. */
export interface RangedNetwork {
  /** Docker's name of the network. */
  readonly name: string;
  /** In CIDR form. */
  readonly subnet: string;
  /** Whether its containers have no outside access through it. */
  readonly internal: boolean;
}

/** Networks that are one switch for all hosts, as each host knows them. */
export interface NetworkRanges {
  /** In which each host has a place, in CIDR form: as its place lies in it, so lies its range in each network. */
  readonly places: string;
  /** All networks of the cluster. */
  readonly networks: readonly RangedNetwork[];
}

/** The number of a host's place among all of them, from 0. */
export function placeOf(place: string, places: string): number {
  const [one, all] = [parsed(place), parsed(places)];
  return Number((one.first - all.first) / one.size);
}

/** A host's range of a network. */
export function rangeOf(subnet: string, place: string, places: string): Cidr {
  const network = parsed(subnet);
  return network.subnet(network.prefix + parsed(place).prefix - parsed(places).prefix, placeOf(place, places));
}

function parsed(text: string): Cidr {
  const network = Cidr.parse(text);
  if (!isCidr(network)) throw new Error(network.problem);
  return network;
}
