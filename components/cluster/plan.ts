import { assignBlocks } from "../network/blocks";
import { Cidr, isCidr, isPrivate } from "../network/cidr";
import type { HostGroup, PlannedHost, Problem, Site } from "../hosts/host";
import type { NetworkArgs } from "../networks/args";
import { native } from "../overlays/native";
import { isOverlay, type OverlayPlan } from "../overlays/overlay";
import { direct, isUnderlay, type UnderlayPlan } from "../underlay/underlay";
import type { SwarmClusterArgs } from "./args";
import { checkEngine, checkMembership, planQuorum, type Quorum } from "./rules";

export interface PlannedNetwork {
  readonly name: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** Everything that is decided before anything is touched. Plain data. */
export interface ClusterPlan {
  readonly addressSpace: string;
  /** What Docker may cut subnets from for networks that somebody makes by hand. */
  readonly dockerPool: string;
  readonly sites: readonly Site[];
  readonly hosts: readonly PlannedHost[];
  readonly networks: readonly PlannedNetwork[];
  readonly quorum: Quorum;
  readonly overlay: string;
  readonly underlay: string;
  /** Largest packet that containers may send on the cluster's networks, in bytes. */
  readonly mtu: number;
}

export interface Planned {
  readonly plan: ClusterPlan;
  /** All of them, never just the first. A plan with problems must not be used. */
  readonly problems: readonly Problem[];
}

/** Networks that bite silently when something else lies on them. */
const knownTraps: readonly { readonly network: string; readonly what: string }[] = [
  { network: "169.254.0.0/16", what: "link-local addresses, where clouds answer for metadata and time" },
  { network: "172.17.0.0/16", what: "Docker's default bridge on every host" },
  { network: "172.18.0.0/16", what: "Docker's docker_gwbridge on every host" },
  { network: "10.0.0.0/24", what: "Docker's ingress network" },
];

const defaultAddressSpace = "10.96.0.0/14";

/** Works out the whole cluster from its arguments, and all that is wrong with them. Touches nothing. */
export function planCluster(args: SwarmClusterArgs): Planned {
  const problems: Problem[] = [];
  const report = (path: string, message: string, fix: string): void => void problems.push({ path, message, fix });

  const groups = Object.entries(args.hosts ?? {});
  const sites = planSites(groups, report);
  const reserved = reservedNetworks(args, sites, report);
  const space = planSpace(args.addressSpace ?? defaultAddressSpace, reserved, report);
  const hosts = planHosts(groups, sites, report);
  const underlay = planUnderlay(args, report);
  const overlay = planOverlay(args, sites, underlay, problems);
  const mtu = Math.min(...sites.map((site) => site.mtu), 65_535) - underlay.overhead;
  const networks = planNetworks(args.networks ?? {}, space.networks, reserved, overlay, mtu, report);
  const quorum = planQuorum(hosts, report);
  checkEngine(args.engine ?? {}, report);
  checkMembership(args.membership ?? {}, report);

  return {
    plan: {
      addressSpace: space.whole.toString(),
      dockerPool: space.docker.toString(),
      sites,
      hosts,
      networks,
      quorum,
      overlay: overlay.kind,
      underlay: underlay.kind,
      mtu: mtu - overlay.overhead,
    },
    problems,
  };
}

export type Report = (path: string, message: string, fix: string) => void;
interface Reserved {
  readonly network: Cidr;
  readonly what: string;
}

/** Lower-case DNS labels: they become host names, node labels and resource names. */
const keyPattern = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

function planSites(groups: readonly (readonly [string, HostGroup])[], report: Report): Site[] {
  const sites = new Map<string, Site>();
  for (const [key, group] of groups) {
    const seen = sites.get(group.site?.key);
    if (!group.site) continue;
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

function reservedNetworks(args: SwarmClusterArgs, sites: readonly Site[], report: Report): Reserved[] {
  const reserved: Reserved[] = knownTraps.map(({ network, what }) => ({ network: Cidr.parse(network) as Cidr, what }));
  const add = (path: string, text: string, what: string): void => {
    const network = Cidr.parse(text);
    if (isCidr(network)) reserved.push({ network, what });
    else report(path, network.problem, "write it as address/prefix");
  };
  for (const site of sites) if (site.network !== undefined) add(`site ${site.key}`, site.network, `the network of site "${site.key}"`);
  (args.avoid ?? []).forEach((text, index) => add(`avoid[${index}]`, text, `avoid[${index}]`));
  return reserved;
}

interface Space {
  readonly whole: Cidr;
  readonly docker: Cidr;
  readonly networks: Cidr;
}

function planSpace(text: string, reserved: readonly Reserved[], report: Report): Space {
  const parsed = Cidr.parse(text);
  if (!isCidr(parsed)) report("addressSpace", parsed.problem, "for example 10.96.0.0/14");
  let whole = isCidr(parsed) ? parsed : (Cidr.parse(defaultAddressSpace) as Cidr);
  if (!isPrivate(whole)) {
    report("addressSpace", `${whole} are public addresses: containers could not reach their real owners`, "take private space, such as 10.96.0.0/14");
  }
  if (whole.prefix > 22) {
    report(
      "addressSpace",
      `${whole} is too small: half of it is for networks, a quarter for Docker's own`,
      "take a /22 or larger; /14 is a good choice",
    );
    whole = Cidr.at(0n, 8);
  }
  for (const { network, what } of reserved) {
    if (whole.overlaps(network)) report("addressSpace", `${whole} overlaps ${network}, ${what}`, "choose a space that is free everywhere");
  }
  const [lower, networks] = whole.halves();
  return { whole, docker: lower.halves()[0], networks };
}

function planHosts(groups: readonly (readonly [string, HostGroup])[], sites: readonly Site[], report: Report): PlannedHost[] {
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
      report(`hosts.${key}.role`, `${JSON.stringify(group.role)} is not a role`, `write "manager" or "worker"`);
    }
    for (const problem of group.problems) report(`hosts.${key}.${problem.path}`, problem.message, problem.fix);
  }
  const addresses = planAddresses(groups, sites, report);
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
        ...(address !== undefined && { address }),
      };
    }),
  );
  reportDuplicates(hosts, report);
  return hosts;
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

/** In a site whose network is ours, each group has a block and each host its number in it. */
function planAddresses(groups: readonly (readonly [string, HostGroup])[], sites: readonly Site[], report: Report): Map<string, string> {
  const addresses = new Map<string, string>();
  for (const site of sites) {
    const network = site.network === undefined ? undefined : Cidr.parse(site.network);
    const members = groups.filter(([, group]) => group.site.key === site.key && group.addressing === "planned");
    if (!network || !isCidr(network) || members.length === 0) continue;
    const prefix = Math.min(28, Math.max(24, network.prefix + 2));
    const gateway = network.subnet(Math.max(prefix, network.prefix), 0);
    const blocks = assignBlocks(
      network,
      members.map(([key]) => ({ key, prefix })),
      [gateway],
    );
    for (const problem of blocks.problems) {
      report(`hosts.${problem.key}`, `the network ${network} of site "${site.key}" has no room for it`, "take a larger network for the site");
    }
    for (const [group, { hosts }] of members) {
      const block = blocks.byKey.get(group);
      const room = block ? Number(block.size) - 2 : 0;
      for (const { place } of hosts) {
        if (block && Number(place) <= room) addresses.set(`${group}-${place}`, block.address(Number(place)));
      }
      const beyond = hosts.filter(({ place }) => block && Number(place) > room);
      if (beyond.length > 0) {
        report(
          `hosts.${group}`,
          `its block ${block} of the site's network holds hosts 1 to ${room}; ${beyond.length} of its hosts do not fit`,
          "split the group, or take a larger network for the site",
        );
      }
    }
  }
  return addresses;
}

function planUnderlay(args: SwarmClusterArgs, report: Report): UnderlayPlan {
  const underlay = args.underlay ?? direct();
  if (isUnderlay(underlay)) return underlay.plan();
  report("underlay", `${JSON.stringify(underlay)} is not an underlay`, "use direct()");
  return direct().plan();
}

function planOverlay(args: SwarmClusterArgs, sites: readonly Site[], underlay: UnderlayPlan, problems: Problem[]): OverlayPlan {
  const overlay = args.overlay ?? native();
  const context = { sites: sites.map((site) => site.key), underlay };
  if (!isOverlay(overlay)) {
    problems.push({ path: "overlay", message: `${JSON.stringify(overlay)} is not an overlay`, fix: "use native()" });
    return native().plan(context);
  }
  const plan = overlay.plan(context);
  problems.push(...plan.problems);
  return plan;
}

function planNetworks(
  networks: Readonly<Record<string, NetworkArgs>>,
  space: Cidr,
  reserved: readonly Reserved[],
  overlay: OverlayPlan,
  underlayMtu: number,
  report: Report,
): PlannedNetwork[] {
  const requests = Object.entries(networks).map(([key, network]) => {
    const path = `networks.${key}`;
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/.test(key) || ["host", "none", "bridge", "ingress", "docker_gwbridge"].includes(key)) {
      report(
        path,
        `"${key}" cannot name a Docker network`,
        "use 2 to 64 letters, digits, hyphens, dots or underscores; Docker's own names are taken",
      );
    }
    const prefix = network.prefix ?? 24;
    if (!Number.isInteger(prefix) || prefix < 16 || prefix > 28)
      report(`${path}.prefix`, `${JSON.stringify(prefix)} is not usable`, "give a prefix length from 16 to 28");
    const pin = network.subnet === undefined ? undefined : pinnedSubnet(`${path}.subnet`, network.subnet, reserved, report);
    return { key, prefix: Math.min(28, Math.max(16, Math.trunc(prefix) || 24)), ...(pin && { pin }) };
  });
  const blocks = assignBlocks(space, requests);
  for (const { key, message, fix } of blocks.problems) report(`networks.${key}`, message, fix);
  return [...blocks.byKey].map(([name, block]) => ({
    name,
    subnet: block.toString(),
    gateway: block.address(1),
    driver: overlay.driver,
    internal: networks[name]?.internal ?? false,
    attachable: networks[name]?.attachable ?? true,
    labels: networks[name]?.labels ?? {},
    options: overlay.networkOptions(underlayMtu),
  }));
}

function pinnedSubnet(path: string, text: string, reserved: readonly Reserved[], report: Report): Cidr | undefined {
  const pin = Cidr.parse(text);
  if (!isCidr(pin)) {
    report(path, pin.problem, "write it as address/prefix");
    return undefined;
  }
  if (!isPrivate(pin)) report(path, `${pin} are public addresses`, "take private space");
  const clash = reserved.find(({ network }) => network.overlaps(pin));
  if (clash) report(path, `${pin} overlaps ${clash.network}, ${clash.what}`, "choose a subnet that is free everywhere");
  return pin;
}

/** All problems as one message, in the order in which a reader meets them in the program. */
export function describeProblems(cluster: string, problems: readonly Problem[]): string {
  const lines = problems.map(({ path, message, fix }) => `  - ${path}: ${message}. Fix: ${fix}.`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`The swarm cluster "${cluster}" cannot be planned: ${count}.`, ...lines].join("\n");
}
