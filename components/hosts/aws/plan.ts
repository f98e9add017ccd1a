import { Cidr, isCidr } from "../../addresses/cidr";
import { show } from "../../report";
import { known } from "../cloud/given";
import { assigned, type HostDescription, type PlannedHost, type Site, type Zone } from "../host";
import type { Problem } from "../../report";
import { numberedHosts } from "../numbered";
import type { AwsHostArgs, AwsHostsArgs, AwsVpc } from "./args";
import { behaviour } from "./behaviour";
import { checkArgs } from "./check";
import { defaults } from "./defaults";

/** Processors for which images are made. */
export type Architecture = "x86_64" | "arm64";

/** A group as it is described to the plan. */
export interface AwsPlan {
  readonly site: Site;
  readonly hosts: readonly HostDescription[];
  readonly addressing: "planned" | "given";
  readonly problems: readonly Problem[];
}

/** The letters that zones have; an eighth of the network each. */
const zoneLetters = ["a", "b", "c", "d", "e", "f", "g", "h"];
const zoneBits = 3;

/** Pure: what the plan of the cluster needs to know of the group, and all that is wrong with its arguments. */
export function planAwsHosts(args: AwsHostsArgs): AwsPlan {
  const { hosts, problems } = numberedHosts(args);
  const zones = planZones(args);
  const network = args.vpc === undefined ? (args.network ?? defaults.network) : known(args.vpc.cidr);
  const planned = network !== undefined && zones.used.every((zone) => zone.network !== undefined);
  return {
    site: {
      key: args.site ?? `aws ${args.region}`,
      mtu: args.mtu ?? defaults.mtu,
      ...(args.mtuOutside !== undefined && { mtuOutside: args.mtuOutside }),
      ...(network !== undefined && { network }),
    },
    hosts: hosts.map((host) => describeHost(host.place, zones.used, args)),
    addressing: planned ? "planned" : "given",
    problems: [...problems, ...zones.problems, ...checkArgs(args, hosts)],
  };
}

function describeHost(place: string, zones: readonly Zone[], { publicAddress, natAddress }: AwsHostsArgs): HostDescription {
  const zone = zones[(Number(place) - 1) % zones.length];
  return {
    place,
    ...(zone && { zone }),
    ...(publicAddress === "none" ? natAddress !== undefined && { seenAs: natAddress } : { publicAddress: assigned }),
  };
}

/** AWS gives few addresses to an account that never asked for more, and the sixth host would fail when the others are made. */
export function addressWarnings({ publicAddress, region }: AwsHostsArgs, site: string, hosts: readonly PlannedHost[]): readonly string[] {
  const { most } = behaviour["aws:ec2/eip:Eip"].quotas.perRegion;
  const needed = hosts.filter((host) => host.provider === "aws" && host.site === site && host.publicAddress !== undefined).length;
  if (publicAddress === "none" || needed <= most) return [];
  return [
    `site "${site}" needs ${needed} Elastic IP addresses, and AWS gives an account ${most} in a region until it raises the quota: see at Service Quotas that ${region} has at least ${needed} ("EC2-VPC Elastic IPs") before you run up`,
  ];
}

/** What a host is to be, with what is said of it alone. */
export function hostArgs({ each, instanceType }: AwsHostsArgs, place: string): AwsHostArgs & { readonly instanceType: string } {
  return { instanceType: instanceType ?? defaults.instanceType, ...each?.[Number(place)] };
}

/** Graviton's families: a `g` after the generation (t4g, c7gn, im4gn), and the very first, a1. */
export function architectureOf(instanceType: string): Architecture {
  return /^(a1|[a-z]+\d+g[a-z]*)\./.test(instanceType) ? "arm64" : "x86_64";
}

function planZones(args: AwsHostsArgs): { readonly used: readonly Zone[]; readonly problems: readonly Problem[] } {
  const given: unknown = args.zones ?? (args.vpc === undefined ? defaults.zones : Object.keys(args.vpc.subnets ?? {}).sort());
  if (!Array.isArray(given) || given.length === 0) {
    if (args.vpc !== undefined && args.zones === undefined) {
      const fix = 'write each under the letter of its zone: { a: { id: "subnet-…", cidr: "10.0.1.0/24" } }';
      return { used: [], problems: [...checkVpc(args.vpc), { path: "vpc.subnets", message: "no subnet is given", fix }] };
    }
    const fix = typeof given === "string" && zoneLetters.includes(given) ? `write it as ["${given}"]` : 'write letters such as ["a", "b", "c"]';
    return { used: [], problems: [{ path: "zones", message: `${show(given)} names no zone`, fix }] };
  }
  const problems: Problem[] = [];
  const used = given.flatMap((letter: unknown, index): Zone[] => {
    if (typeof letter !== "string" || !zoneLetters.includes(letter)) {
      const path = args.zones === undefined ? `vpc.subnets.${String(letter)}` : `zones[${index}]`;
      const meant = /^(?:[a-z]+-[a-z-]+-\d+)?([a-h])$/.exec(String(letter).trim().toLowerCase())?.[1];
      const fix = meant === undefined ? `write one of ${zoneLetters.join(", ")}` : `write "${meant}"`;
      problems.push({ path, message: `${show(letter)} is not a zone's letter`, fix });
      return [];
    }
    if (args.vpc === undefined) return [ownZone(letter, args.network ?? defaults.network)];
    const subnet = args.vpc.subnets?.[letter];
    if (subnet === undefined) {
      problems.push({ path: `zones[${index}]`, message: `vpc.subnets has none in zone ${letter}`, fix: "add one, or leave the zone out" });
      return [];
    }
    const network = known(subnet.cidr);
    return [{ name: letter, ...(network !== undefined && { network }) }];
  });
  return { used, problems: [...problems, ...(args.vpc === undefined ? [] : [...checkVpc(args.vpc), ...checkSubnets(args.vpc)])] };
}

/** Fixed places by letter: neither another zone nor their order moves one. */
export function ownZone(name: string, network: string): Zone {
  const whole = Cidr.parse(network);
  return isCidr(whole) ? { name, network: whole.subnet(whole.prefix + zoneBits, zoneLetters.indexOf(name)).toString() } : { name };
}

/** That none is missing, and that they are not the wrong way round. */
function checkVpc({ id, cidr, subnets = {} }: AwsVpc): Problem[] {
  const ofSubnets = Object.entries(subnets).flatMap(([letter, subnet]) => [
    ...checkId(`vpc.subnets.${letter}.id`, subnet.id, "subnet-"),
    ...checkGiven(`vpc.subnets.${letter}.cidr`, subnet.cidr, '"10.30.1.0/24"'),
  ]);
  return [...checkId("vpc.id", id, "vpc-"), ...checkGiven("vpc.cidr", cidr, '"10.30.0.0/16"'), ...ofSubnets];
}

function checkId(path: string, id: unknown, begin: string): Problem[] {
  const missing = checkGiven(path, id, `"${begin}0abc…"`);
  if (missing.length > 0 || typeof id !== "string" || id.startsWith(begin) || !/^(?:vpc|subnet)-/.test(id)) return missing;
  return [{ path, message: `${show(id)} does not begin with ${begin}`, fix: `write such as "${begin}0abc…"` }];
}

function checkGiven(path: string, value: unknown, example: string): Problem[] {
  return value === undefined || value === "" ? [{ path, message: "it is missing", fix: `write such as ${example}` }] : [];
}

function checkSubnets({ cidr, subnets = {} }: AwsVpc): Problem[] {
  const problems: Problem[] = [];
  const whole = Cidr.parse(known(cidr) ?? "");
  const placed: { readonly letter: string; readonly network: Cidr }[] = [];
  for (const [letter, subnet] of Object.entries(subnets)) {
    const path = `vpc.subnets.${letter}.cidr`;
    const text = known(subnet.cidr);
    const network = text === undefined ? undefined : Cidr.parse(text);
    if (!network) continue;
    if (!isCidr(network)) {
      problems.push({ path, message: network.problem, fix: network.fix });
      continue;
    }
    const clash = placed.find((other) => other.network.overlaps(network));
    if (clash) problems.push({ path, message: `${network} overlaps ${clash.network} of zone ${clash.letter}`, fix: "give each subnet its own CIDR" });
    if (isCidr(whole) && !whole.contains(network))
      problems.push({ path, message: `${network} is not in ${whole}, the VPC's network`, fix: "correct one of them" });
    placed.push({ letter, network });
  }
  return problems;
}
