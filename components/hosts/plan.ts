import { type Report, show } from "../report";
import { assignBlocks } from "../network/blocks";
import { Cidr, isCidr } from "../network/cidr";
import { pinPath, type Pins, type PlannedSubnet } from "../network/subnets";
import type { HostGroup, PlannedHost, Site } from "./host";

export type Groups = readonly (readonly [string, HostGroup])[];

/** Lower-case DNS labels: they become host names, node labels and resource names. */
const keyPattern = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** Refuses what is not one of ours, as happens in a program without types. */
function isHostGroup(value: unknown): value is HostGroup {
  return typeof value === "object" && value !== null && typeof (value as HostGroup).create === "function";
}

export function checkGroups(hosts: unknown, report: Report): Groups {
  return Object.entries((hosts ?? {}) as Record<string, unknown>).flatMap(([key, group]) => {
    if (isHostGroup(group)) return [[key, group] as const];
    report(`hosts.${key}`, `${show(group)} is not a group of hosts`, "make it with local.hosts(…), existing.hosts(…) or another provider");
    return [];
  });
}

export function planSites(groups: Groups, report: Report): Site[] {
  const sites = new Map<string, Site>();
  for (const [key, group] of groups) {
    const seen = sites.get(group.site.key);
    if (seen && (seen.network !== group.site.network || seen.mtu !== group.site.mtu)) {
      report(
        `hosts.${key}`,
        `describes its site "${seen.key}" otherwise than another group does (network ${group.site.network ?? "none"}, MTU ${group.site.mtu} against ${seen.network ?? "none"}, ${seen.mtu})`,
        "give the same network and MTU to all groups of a site, or another site",
      );
    }
    if (!seen) sites.set(group.site.key, group.site);
    if (!Number.isInteger(group.site.mtu) || group.site.mtu < 1280 || group.site.mtu > 9216) {
      report(`hosts.${key}.mtu`, `${group.site.mtu} is not a usable MTU`, "give the link's MTU in bytes, from 1280 to 9216");
    }
  }
  return [...sites.values()];
}

export interface PlannedHosts {
  readonly hosts: readonly PlannedHost[];
  /** The groups' blocks of sites whose addresses are ours to give. */
  readonly blocks: readonly PlannedSubnet[];
}

export function planHosts(groups: Groups, sites: readonly Site[], pins: Pins, report: Report): PlannedHosts {
  if (groups.length === 0) report("hosts", "no group of hosts is given", "give at least one group with a manager");
  for (const [key, group] of groups) {
    if (!keyPattern.test(key)) {
      report(
        `hosts.${key}`,
        `"${key}" cannot name hosts`,
        "use lower-case letters, digits and hyphens, beginning with a letter, at most 40 characters",
      );
    }
    if (group.role !== "manager" && group.role !== "worker") {
      report(`hosts.${key}.role`, `${show(group.role)} is not a role`, `write "manager" or "worker"`);
    }
    for (const problem of group.problems) report(`hosts.${key}.${problem.path}`, problem.message, problem.fix);
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
        labels: { ...labels, ...member.labels },
        sshPort: member.sshPort ?? 22,
        ...(address !== undefined && { address }),
        ...(member.publicAddress !== undefined && { publicAddress: member.publicAddress }),
        ...(member.seenAs !== undefined && { seenAs: member.seenAs }),
      };
    }),
  );
  reportDuplicates(hosts, report);
  reportOutsiders(hosts, sites, report);
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
    for (const label of Object.keys(host.labels)) {
      if (label.startsWith("pulumi-swarm.")) report(`hosts.${host.group}.labels`, `the label ${label} is kept for this package`, "name it otherwise");
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

/** In a site whose network is ours, each group has a block and each host its number in it. */
function planAddresses(
  groups: Groups,
  sites: readonly Site[],
  pins: Pins,
  report: Report,
): { readonly addresses: ReadonlyMap<string, string>; readonly blocks: readonly PlannedSubnet[] } {
  const addresses = new Map<string, string>();
  const blocks: PlannedSubnet[] = [];
  for (const site of sites) {
    const network = site.network === undefined ? undefined : Cidr.parse(site.network);
    const members = groups.filter(([, group]) => group.site.key === site.key && group.addressing === "planned");
    if (!network || !isCidr(network) || members.length === 0) continue;
    const prefix = Math.min(28, Math.max(24, network.prefix + 2));
    const gateway = network.subnet(Math.max(prefix, network.prefix), 0);
    const requests = members.map(([key]) => ({ key, prefix, pin: pins.take(`site ${key}`, prefix, prefix) }));
    for (const { key, pin } of requests) {
      if (pin && !network.contains(pin)) report(pinPath(`site ${key}`), `${pin} is not in ${network}, the site's network`, "pin a block of it");
    }
    const assigned = assignBlocks(network, requests, [gateway]);
    for (const problem of assigned.problems) {
      report(`hosts.${problem.key}`, `the network ${network} of site "${site.key}" has no room for it`, "take a larger network for the site");
    }
    for (const [group, { hosts }] of members) {
      const block = assigned.byKey.get(group);
      if (!block) continue;
      const room = Number(block.size) - 2;
      for (const { place } of hosts) {
        if (Number(place) <= room) addresses.set(`${group}-${place}`, block.address(Number(place)));
      }
      const beyond = hosts.filter(({ place }) => Number(place) > room);
      if (beyond.length > 0) {
        report(
          `hosts.${group}`,
          `its block ${block} of the site's network holds hosts 1 to ${room}; ${beyond.length} of its hosts do not fit`,
          "split the group, or take a larger network for the site",
        );
      }
      blocks.push({
        owner: `site ${group}`,
        purpose: `addresses of the hosts ${group}-1 to ${group}-${room}`,
        cidr: block.toString(),
        from: `${network}, the network of site "${site.key}"`,
        routes: "within the site",
        pin: pinPath(`site ${group}`),
        pinned: requests.some(({ key, pin }) => key === group && pin !== undefined),
      });
    }
  }
  return { addresses, blocks };
}
