import { Cidr, isCidr } from "../../../addresses/cidr";
import { isNot, type Report, show } from "../../../report";
import type { PeersContext } from "../../peers";

interface Taken {
  readonly network: Cidr;
  readonly what: string;
}

const own = (text: string): Cidr => Cidr.parse(text) as Cidr;

/** Addresses of no router. */
const nowhere: readonly Taken[] = [
  { network: own("0.0.0.0/8"), what: "no address of a machine" },
  { network: own("127.0.0.0/8"), what: "the host itself" },
  { network: own("169.254.0.0/16"), what: "a link-local address, where clouds answer for metadata" },
  { network: own("224.0.0.0/3"), what: "no address of one machine" },
];

const everything = "0.0.0.0/0";

/** The cluster's own networks, and those of its hosts: whoever draws them to itself has the cluster. */
export function takenBy(context: PeersContext): readonly Taken[] {
  const sites = context.sites.flatMap(({ key, network }) => parsed(network, `the network of site "${key}"`));
  const hosts = context.hosts.flatMap(({ key, address, publicAddress }) =>
    [address, publicAddress].flatMap((each) => parsed(typeof each === "string" ? `${each}/32` : undefined, `an address of ${key}`)),
  );
  const outside = hosts.filter(({ network }) => !sites.some((site) => site.network.contains(network)));
  return [...containersOf(context), ...sites, ...outside, ...nowhere.filter(({ network }) => network.toString().startsWith("169.254."))];
}

/** Where containers of the cluster have addresses, or may have. */
function containersOf({ addressSpace, subnets }: PeersContext): readonly Taken[] {
  const pieces = subnets.filter(({ owner }) => !/^(site|slice) /.test(owner)).flatMap(({ owner, cidr }) => parsed(cidr, `the subnet of ${owner}`));
  const whole = parsed(addressSpace, "the address space of the cluster");
  const pinned = pieces.filter(({ network }) => !whole.some((space) => space.network.contains(network)));
  return [...whole, ...pinned];
}

function parsed(text: string | undefined, what: string): Taken[] {
  const network = text === undefined ? undefined : Cidr.parse(text);
  return network !== undefined && isCidr(network) ? [{ network, what }] : [];
}

export function isInside(network: string, address: string): boolean {
  const [whole, one] = [Cidr.parse(network), Cidr.parse(`${address}/32`)];
  return isCidr(whole) && isCidr(one) && whole.contains(one);
}

export function checkAddress(path: string, given: unknown, context: PeersContext, report: Report): void {
  const usual = 'give the address of the router on the hosts\' own network, such as "10.0.0.1"';
  if (typeof given !== "string") return report(path, isNot(given, "an IPv4 address"), usual);
  const bare = given.trim().replace(/\/32$/, "");
  if (bare.includes(":") && !/^[\d.]+:\d+$/.test(bare)) {
    return report(path, `${show(given)} is an IPv6 address, and containers and their routes have IPv4 alone`, usual);
  }
  const address = Cidr.parse(`${bare}/32`);
  if (!isCidr(address)) return report(path, isNot(given, "an IPv4 address"), usual);
  if (bare !== given) return report(path, isNot(given, "an IPv4 address"), `write "${bare}"`);
  const wrong = nowhere.find(({ network }) => network.contains(address));
  if (wrong) return report(path, `${given} is ${wrong.what}`, usual);
  const host = context.hosts.find((each) => [each.address, each.publicAddress, each.tunnelAddress].includes(given));
  if (host) return report(path, `${given} is the address of ${host.key}, a host of the cluster itself`, usual);
  const taken = containersOf(context).find(({ network }) => network.contains(address));
  if (taken) report(path, `${given} is in ${taken.network}, ${taken.what}, where containers have their addresses`, usual);
}

/** @returns the networks to which a way is taken, in CIDR form; of what is wrong, none. */
export function checkAccept(path: string, given: unknown, context: PeersContext, report: Report): readonly string[] {
  if (given === undefined || given === "nothing") return [];
  if (given === "default") return [everything];
  if (!Array.isArray(given)) {
    const network = typeof given === "string" ? Cidr.parse(given) : undefined;
    const fix =
      network && isCidr(network) && network.prefix > 0
        ? `write it as ["${given as string}"]`
        : 'write "nothing", "default" or a list such as ["10.20.0.0/16"]';
    report(path, `${show(given)} does not say what hosts take from the router`, fix);
    return [];
  }
  const list = given as readonly unknown[];
  return list.flatMap((one, index) => {
    const at = `${path}[${index}]`;
    if (list.indexOf(one) < index) {
      report(at, `${show(one)} is named twice`, "name it once");
      return [];
    }
    return checkOne(at, one, context, report);
  });
}

function checkOne(at: string, given: unknown, context: PeersContext, report: Report): readonly string[] {
  if (given === "default") return [everything];
  const text = typeof given === "string" ? given : "";
  if (text === "nothing") report(at, '"nothing" is said instead of a list', 'write accept: "nothing", or take it out');
  else if (text.includes(":")) report(at, `${show(given)} is an IPv6 network, and routes of the cluster are IPv4 alone`, "name an IPv4 network");
  else if (text === everything) report(at, `${everything} is every network there is`, 'write "default" for a default route');
  else {
    const network = Cidr.parse(text);
    if (!isCidr(network)) {
      report(at, text === "" ? isNot(given, "a network in CIDR form") : network.problem, text === "" ? 'write such as "10.20.0.0/16"' : network.fix);
      return [];
    }
    const taken = takenBy(context).find((each) => each.network.overlaps(network));
    if (!taken) return [network.toString()];
    report(
      at,
      `${network} overlaps ${taken.network}, ${taken.what}: a router could draw what is for the cluster to itself`,
      "name networks that lie behind the router alone",
    );
  }
  return [];
}
