import { noneOf } from "../nearest";
import { isNot, type Report, show } from "../report";
import { assignBlocks } from "../addresses/blocks";
import { Cidr, isCidr } from "../addresses/cidr";
import { pinPath, type Pins, type PlannedSubnet } from "../addresses/subnets";
import { hostOptions } from "./kinds";
import type { HostDescription, HostGroup, PlannedHost, Site, Zone } from "./host";

export type Groups = readonly (readonly [string, HostGroup])[];

/** Lower-case DNS labels: they become host names, node labels and resource names. */
const keyPattern = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

const roles = {
  what: "a role",
  written: (role: string) => `role: "${role}"`,
  known: ["manager", "worker"],
  others: { master: "manager", leader: "manager", server: "manager", control: "manager", agent: "worker", node: "worker", slave: "worker" },
};

/** Refuses what is not one of ours, as happens in a program without types. */
function isHostGroup(value: unknown): value is HostGroup {
  return typeof value === "object" && value !== null && typeof (value as HostGroup).create === "function";
}

export function checkGroups(hosts: unknown, report: Report): Groups {
  if (isHostGroup(hosts)) {
    report("hosts", "this is one group, and groups by name are needed", `write it as { control: ${hosts.provider}.hosts({ … }) }`);
    return [];
  }
  return Object.entries((hosts ?? {}) as Record<string, unknown>).flatMap(([key, group]) => {
    if (isHostGroup(group)) return [[key, group] as const];
    report(`hosts.${key}`, isNotGroup(group), howToMake(group));
    return [];
  });
}

function isNotGroup(group: unknown): string {
  return Array.isArray(group) && group.some(isHostGroup) ? "a list is not a group of hosts" : isNot(group, "a group of hosts");
}

/** In YAML a group names its provider. */
function howToMake(group: unknown): string {
  const { provider, ...options } = (typeof group === "object" && group !== null ? group : {}) as Readonly<Record<string, unknown>>;
  if (typeof provider === "string" && Object.hasOwn(hostOptions, provider))
    return `write it as ${provider}.hosts({ ${Object.keys(options).join(", ")} })`;
  return "make it with local.hosts(…), existing.hosts(…) or another provider";
}

/** Whether it is known of each group that is given what its hosts are in the swarm. */
export function areRead(hosts: unknown, groups: Groups): boolean {
  const isRead = ({ hosts: described, role, problems }: HostGroup): boolean =>
    (described.length > 0 && roles.known.includes(role)) || (role === "worker" && problems.every(({ path }) => path !== ""));
  return groups.length === Object.keys(hosts ?? {}).length && groups.every(([, group]) => isRead(group));
}

export function planSites(groups: Groups, report: Report): Site[] {
  const sites = new Map<string, Site>();
  for (const [key, group] of groups) {
    const seen = sites.get(group.site.key);
    const { mtu, mtuOutside } = group.site;
    if (seen && (seen.network !== group.site.network || seen.mtu !== mtu || seen.mtuOutside !== mtuOutside)) {
      report(
        `hosts.${key}`,
        `describes its site "${seen.key}" otherwise than another group does (network ${group.site.network ?? "none"}, MTU ${showMtu(group.site)} against ${seen.network ?? "none"}, ${showMtu(seen)})`,
        "give the same network and MTU to all groups of a site, or another site",
      );
    }
    if (!seen) sites.set(group.site.key, group.site);
    if (group.site.key.trim() === "")
      report(`hosts.${key}.site`, `${show(group.site.key)} does not name a site`, 'write such as site: "office", or leave it out');
    if (!Number.isInteger(mtu) || mtu < 1280 || mtu > 9216) {
      report(`hosts.${key}.mtu`, `${show(mtu)} is not a usable MTU`, "give the link's MTU in bytes, from 1280 to 9216");
    } else if (mtuOutside !== undefined && (!Number.isInteger(mtuOutside) || mtuOutside < 1280 || mtuOutside > mtu)) {
      report(
        `hosts.${key}.mtuOutside`,
        `${show(mtuOutside)} is not an MTU to other sites`,
        `give the way's MTU in bytes, from 1280 to the ${mtu} of the site, or leave it out`,
      );
    }
  }
  return [...sites.values()];
}

function showMtu({ mtu, mtuOutside }: Site): string {
  return mtuOutside === undefined ? `${mtu}` : `${mtu} (${mtuOutside} outside)`;
}

export interface PlannedHosts {
  readonly hosts: readonly PlannedHost[];
  /** The groups' blocks of sites whose addresses are ours to give. */
  readonly blocks: readonly PlannedSubnet[];
}

/** @param given What the groups were read from. */
export function planHosts(given: unknown, groups: Groups, sites: readonly Site[], pins: Pins, report: Report): PlannedHosts {
  if (groups.length === 0 && areRead(given, groups)) report("hosts", "no group of hosts is given", "give at least one group with a manager");
  for (const [key, group] of groups) {
    if (!keyPattern.test(key)) {
      report(
        `hosts.${key}`,
        `"${key}" cannot name hosts`,
        "use lower-case letters, digits and hyphens, beginning with a letter, at most 40 characters",
      );
    }
    if (group.role !== "manager" && group.role !== "worker") {
      report(`hosts.${key}.role`, ...noneOf(group.role, roles));
    }
    for (const { path, message, fix } of group.problems) report(path === "" ? `hosts.${key}` : `hosts.${key}.${path}`, message, fix);
  }
  const { addresses, blocks } = planAddresses(groups, sites, pins, report);
  const hosts = groups.flatMap(([group, { provider, role, site, hosts: members, labels }]) =>
    members.map((member): PlannedHost => {
      const key = `${group}-${member.place}`;
      const address = addresses.get(key) ?? member.address;
      return {
        key,
        group,
        place: member.place,
        provider,
        role,
        site: site.key,
        ...(member.zone && { zone: member.zone.name }),
        labels: { ...labels, ...member.labels },
        sshPort: member.sshPort ?? 22,
        ...(address !== undefined && { address }),
        ...(member.publicAddress !== undefined && { publicAddress: member.publicAddress }),
        ...(member.seenAs !== undefined && { seenAs: member.seenAs }),
      };
    }),
  );
  reportDuplicates(hosts, report);
  reportLabels(hosts, report);
  // What is planned lies in the site's network, unless what was pinned is told already.
  const ownAddresses = new Set(groups.flatMap(([key, { addressing }]) => (addressing === "given" ? [key] : [])));
  reportOutsiders(
    hosts.filter(({ group }) => ownAddresses.has(group)),
    sites,
    report,
  );
  return { hosts, blocks };
}

function reportDuplicates(hosts: readonly PlannedHost[], report: Report): void {
  const byKey = new Map<string, PlannedHost>();
  const byAddress = new Map<string, PlannedHost>();
  for (const host of hosts) {
    const twin = byKey.get(host.key);
    if (twin)
      report(`hosts.${host.group}`, `two hosts are named ${host.key}, one of group ${twin.group}, one of ${host.group}`, "rename one of the groups");
    byKey.set(host.key, host);
    const where = host.address && `${host.site} ${host.address}`;
    const neighbour = where && byAddress.get(where);
    if (neighbour) report(`hosts.${host.group}`, `${host.key} has the address ${host.address} of ${neighbour.key}`, "give each host its own address");
    if (where) byAddress.set(where, host);
  }
}

/** Docker takes more than a service's constraints can ask for. */
function reportLabels(hosts: readonly PlannedHost[], report: Report): void {
  const labels = new Map(
    hosts.flatMap(({ group, labels: own }) => Object.keys(own).map((label) => [`${group} ${label}`, { group, label }] as const)),
  );
  for (const { group, label } of labels.values()) {
    const path = `hosts.${group}.labels`;
    const [, bare] = /^node\.labels\.(.+)$/.exec(label) ?? [];
    if (label.startsWith("pulumi-swarm.")) report(path, `the label ${label} is kept for this package`, "name it otherwise");
    else if (bare !== undefined) report(path, `the label ${label} would be node.labels.${label} in a constraint`, `write ${bare}`);
    else if (label === "" || /[\s=]/.test(label)) {
      report(path, `${show(label)} is not the name of a label`, 'write a name and its value, such as { disk: "ssd" }, without blanks in the name');
    }
  }
}

function reportOutsiders(hosts: readonly PlannedHost[], sites: readonly Site[], report: Report): void {
  const networks = new Map(sites.map((site) => [site.key, site.network === undefined ? undefined : Cidr.parse(site.network)]));
  for (const { key, group, site, address } of hosts) {
    const network = networks.get(site);
    const own = address === undefined ? undefined : Cidr.parse(`${address}/32`);
    if (network && own && isCidr(network) && isCidr(own) && !network.contains(own)) {
      report(
        `hosts.${group}`,
        `${key} has the address ${address}, which is not in the site's network ${network}`,
        "correct one of them, or leave the network out",
      );
    }
  }
}

/** Where addresses are ours to give: a site's network, or that of one of its zones. */
interface Area {
  readonly site: Site;
  readonly zone?: Zone;
  readonly network: Cidr;
  /** Who has hosts there. */
  readonly groups: ReadonlyMap<string, readonly HostDescription[]>;
}

/** In an area, each group has a block and each host its number in it. */
function planAddresses(
  groups: Groups,
  sites: readonly Site[],
  pins: Pins,
  report: Report,
): { readonly addresses: ReadonlyMap<string, string>; readonly blocks: readonly PlannedSubnet[] } {
  const planned = sites.flatMap((site) => areasOf(site, groups)).map((area) => planArea(area, pins, report));
  return { addresses: new Map(planned.flatMap(({ addresses }) => addresses)), blocks: planned.flatMap(({ blocks }) => blocks) };
}

/** Owner of a group's block of addresses, as pins and the preview name it. */
function blockOwner(group: string, zone: Zone | undefined): string {
  return zone ? `site ${group} ${zone.name}` : `site ${group}`;
}

export function blockOwners(group: string, hosts: readonly HostDescription[]): string[] {
  return [...new Set(hosts.map((host) => blockOwner(group, addressZone(host))))];
}

/** Hosts of a zone without a network of its own have their addresses in that of the site, beside those of other such zones. */
function addressZone({ zone }: HostDescription): Zone | undefined {
  return zone?.network === undefined ? undefined : zone;
}

function areasOf(site: Site, groups: Groups): Area[] {
  const members = groups.filter(([, group]) => group.site.key === site.key && group.addressing === "planned");
  const zones = new Map(members.flatMap(([, { hosts }]) => hosts.map(addressZone).map((zone) => [zone?.name, zone] as const)));
  return [...zones].flatMap(([name, zone]) => {
    const text = zone ? zone.network : site.network;
    const network = text === undefined ? undefined : Cidr.parse(text);
    if (!network || !isCidr(network)) return [];
    const there = members.map(([key, { hosts }]) => [key, hosts.filter((host) => addressZone(host)?.name === name)] as const);
    return [{ site, ...(zone && { zone }), network, groups: new Map(there.filter(([, hosts]) => hosts.length > 0)) }];
  });
}

function planArea({ site, zone, network, groups }: Area, pins: Pins, report: Report): { addresses: [string, string][]; blocks: PlannedSubnet[] } {
  const what = zone ? `zone ${zone.name} of site "${site.key}"` : `site "${site.key}"`;
  const fix = zone ? "take a larger network for it" : "take a larger network for the site";
  const owner = (group: string): string => blockOwner(group, zone);
  const prefix = Math.min(28, Math.max(24, network.prefix + 2));
  // Whoever runs the network keeps its first addresses: its own, the router's, and a cloud's for names and for later.
  const kept = network.subnet(Math.max(prefix, network.prefix), 0);
  const requests = [...groups.keys()].map((key) => ({ key, prefix, pin: pins.take(owner(key), prefix, prefix) }));
  for (const { key, pin } of requests) {
    if (pin && !network.contains(pin)) {
      report(pinPath(owner(key)), `${pin} is not in ${network}, ${zone ? `that of ${what}` : "the site's network"}`, "pin a block of it");
    }
  }
  const assigned = assignBlocks(network, requests, [kept]);
  for (const { key } of assigned.problems) report(`hosts.${key}`, `the network ${network} of ${what} has no room for it`, fix);
  const addresses: [string, string][] = [];
  const blocks: PlannedSubnet[] = [];
  for (const [group, hosts] of groups) {
    const block = assigned.byKey.get(group);
    if (!block) continue;
    const room = Number(block.size) - 2;
    const fitting = hosts.filter(({ place }) => Number(place) <= room);
    for (const { place } of fitting) addresses.push([`${group}-${place}`, block.address(Number(place))]);
    if (fitting.length < hosts.length) {
      report(
        `hosts.${group}`,
        `its block ${block} of the ${zone ? "zone" : "site"}'s network holds hosts 1 to ${room}; ${hosts.length - fitting.length} of its hosts do not fit`,
        `split the group, or ${fix}`,
      );
    }
    blocks.push({
      owner: owner(group),
      purpose: `addresses of the hosts ${group}-1 to ${group}-${room}${zone ? ` in zone ${zone.name}` : ""}`,
      cidr: block.toString(),
      from: `${network}, the network of ${what}`,
      routes: "within the site",
      pin: pinPath(owner(group)),
      pinned: requests.some(({ key, pin }) => key === group && pin !== undefined),
    });
  }
  return { addresses, blocks };
}
