import { firewallGroups, planMtu, sshPorts } from "../cluster/plan";
import { reservedNetworks } from "../cluster/reserved";
import type { FirewallArgs } from "../firewall/args";
import { type FirewallContext, planFirewall } from "../firewall/plan";
import { readableRules } from "../firewall/ports";
import { everyPort, type FirewallRule } from "../firewall/rule";
import { checkCloudRules } from "../hosts/cloud-rules";
import type { PlannedHost, Site } from "../hosts/host";
import type { Problem } from "../report";
import { checkGroups, type Groups, planHosts, planSites } from "../hosts/plan";
import { Cidr, isCidr, isPrivate } from "../addresses/cidr";
import type { EncryptionChannel } from "../addresses/encryption";
import { Pins, type PlannedSubnet, type Reserved, reportOverlaps } from "../addresses/subnets";
import { reportSameNames } from "../names/planned";
import { type Report, show } from "../report";
import { planTunnel } from "../underlay/tunnel";
import type { Tunnel, UnderlayPlan } from "../underlay/underlay";
import { wireguard } from "../underlay/wireguard";
import { planOptions } from "../options";
import type { WireGuardArgs } from "../underlay/wireguard/args";
import { type HostFirewallArgs, hostFirewallOptions, type HostsAloneArgs, type WireGuardMeshArgs, wireGuardMeshOptions } from "./args";
import { pieceNames } from "./names";

/** What a piece decides about its hosts before anything changes. Plain data, in the same terms as a cluster's plan. */
export interface HostsAlonePlan {
  /** The hosts' sites. */
  readonly sites: readonly Site[];
  /** All hosts, with their addresses if they are planned. */
  readonly hosts: readonly PlannedHost[];
  /** All allowed traffic, if the piece manages a firewall. */
  readonly firewall: readonly FirewallRule[];
  /** Who drops other traffic: each host, or nothing of this package. */
  readonly enforced: "hosts" | "none";
  /** Parts of the address space that have an owner. */
  readonly subnets: readonly PlannedSubnet[];
  /** The encrypted mesh, if there is one. */
  readonly tunnel?: Tunnel & {
    /** The network of its addresses, in CIDR form. */
    readonly subnet: string;
  };
  /** Largest packet between two hosts, in bytes. */
  readonly underlayMtu: number;
  /** What protects each channel. */
  readonly encryption: readonly EncryptionChannel[];
  /** What is allowed but needs attention. */
  readonly warnings: readonly string[];
}

/** What a piece would do, and the problems in its arguments. */
export interface PlannedHostsAlone {
  /** What was decided. */
  readonly plan: HostsAlonePlan;
  /** All of them. Do not use a plan with problems. */
  readonly problems: readonly Problem[];
}

/** Computes the plan of a firewall without a swarm, and all problems in its arguments. Touches nothing. */
export function planHostFirewall(args: HostFirewallArgs): PlannedHostsAlone {
  return planOptions<HostFirewallArgs, PlannedHostsAlone>(args, hostFirewallOptions, { hosts: {}, firewall: {} }, planFirewallAlone);
}

function planFirewallAlone(args: HostFirewallArgs): PlannedHostsAlone {
  return collect(args.firewall, (report) => {
    const { groups, sites, hosts, blocks } = describeHosts(args, new Pins({}, report), report);
    const { rules, warnings } = closeHosts(args.firewall, groups, hosts, { contributed: [], swarm: false }, report);
    checkHosts(args, report);
    const underlayMtu = planMtu(sites, bare, report);
    return { groups, plan: { sites, hosts, firewall: rules, enforced: "hosts", subnets: blocks, underlayMtu, encryption: [], warnings } };
  });
}

/** Computes the plan of an encrypted mesh without a swarm, and all problems in its arguments. Touches nothing. */
export function planWireGuardMesh(args: WireGuardMeshArgs): PlannedHostsAlone {
  return planOptions<WireGuardMeshArgs, PlannedHostsAlone>(args, wireGuardMeshOptions, { hosts: {} }, planMesh);
}

function planMesh(args: WireGuardMeshArgs): PlannedHostsAlone {
  return collect(args.firewall, (report) => {
    const pins = new Pins(args.pins ?? {}, report);
    const { groups, sites, hosts: machines, blocks } = describeHosts(args, pins, report);
    const reserved = reservedNetworks(args.avoid ?? [], groups, sites, machines, {}, report);
    const space = meshSpace(args.subnet, reserved, report);
    const { port, rotation, keepalive, mtu } = args;
    const given = { port, rotation, keepalive, mtu } as WireGuardArgs;
    const underlay = wireguard(given).plan({ sites, hosts: machines });
    for (const { path, message, fix } of underlay.problems) report(path.replace(/^underlay\./, ""), message, fix);
    const { addresses, blocks: inTunnel } = planTunnel(machines, space, pins, report);
    const hosts = machines.map((host): PlannedHost => {
      const tunnelAddress = addresses.get(host.key);
      return tunnelAddress === undefined ? host : { ...host, tunnelAddress };
    });
    const subnets = [...blocks, ...inTunnel].sort((a, b) => (a.owner < b.owner ? -1 : 1));
    pins.reportUnused(subnets.map(({ owner }) => owner));
    reportOverlaps(subnets, reserved, report);
    const { rules, enforced, warnings } = protectMesh(args, groups, hosts, underlay.rules, report);
    checkHosts(args, report);
    const plan: HostsAlonePlan = {
      sites,
      hosts,
      firewall: rules,
      enforced,
      subnets,
      ...(underlay.tunnel && { tunnel: { ...underlay.tunnel, subnet: space.toString() } }),
      underlayMtu: planMtu(sites, underlay, (path, ...problem) => report(path.replace(/^underlay\./, ""), ...problem)),
      encryption: [inWordsOfTheMesh(underlay.encryption)],
      warnings,
    };
    return { groups, plan };
  });
}

const bare: Pick<UnderlayPlan, "overhead"> = { overhead: 0 };

function collect(
  firewall: FirewallArgs | undefined,
  work: (report: Report) => { readonly groups: Groups; readonly plan: HostsAlonePlan },
): PlannedHostsAlone {
  const problems: Problem[] = [];
  const report: Report = (path, message, fix) => void problems.push({ path, message, fix });
  const { groups, plan } = work(report);
  reportSameNames(pieceNames("", plan, groups, firewall), report);
  return { plan, problems };
}

interface Described {
  readonly groups: Groups;
  readonly sites: readonly Site[];
  readonly hosts: readonly PlannedHost[];
  readonly blocks: readonly PlannedSubnet[];
}

function describeHosts(args: HostsAloneArgs, pins: Pins, report: Report): Described {
  const groups = checkGroups(args.hosts, report);
  const sites = planSites(groups, report);
  return { groups, sites, ...planHosts(args.hosts, groups, sites, pins, report) };
}

interface Closed {
  readonly rules: readonly FirewallRule[];
  readonly warnings: readonly string[];
}

function closeHosts(
  given: HostFirewallArgs["firewall"] | undefined,
  groups: Groups,
  hosts: readonly PlannedHost[],
  needs: Pick<FirewallContext, "contributed" | "sweeping" | "swarm">,
  report: Report,
): Closed {
  const { rules, warnings, enforce } = planFirewall(given, { groups: firewallGroups(groups), sshPorts: sshPorts(hosts), ...needs }, report);
  if (enforce === "none") report("firewall.enforce", "a firewall that no host keeps does nothing", "leave enforce out");
  checkCloudRules(groups, hosts, rules, report);
  return { rules, warnings };
}

function protectMesh(
  { firewall }: WireGuardMeshArgs,
  groups: Groups,
  hosts: readonly PlannedHost[],
  contributed: readonly FirewallRule[],
  report: Report,
): Closed & Pick<HostsAlonePlan, "enforced"> {
  if (firewall !== undefined)
    return { ...closeHosts(firewall, groups, hosts, { contributed, sweeping: mesh, swarm: false }, report), enforced: "hosts" };
  for (const [key, group] of groups) {
    if (group.admit !== undefined)
      report(
        "firewall",
        `the cloud's own firewall before the hosts of ${key} allows what is said here`,
        `write firewall: { ssh: ["203.0.113.0/24"] }`,
      );
  }
  return { rules: readableRules(contributed), enforced: "none", warnings: [] };
}

/** Whoever is in the tunnel has proved to be a host. */
const mesh = (["tcp", "udp"] as const).map((protocol): FirewallRule => ({
  name: `mesh-${protocol}`,
  protocol,
  ports: [everyPort],
  from: ["members"],
  to: "members",
  over: "tunnel",
  answers: "host",
  reason: "what hosts say to each other in the tunnel",
}));

/** Docker's own, and so is a mesh's: a block for each of 16 groups needs no less. */
const longestSubnet = 26;
const defaultSubnet = "10.97.192.0/18";

function meshSpace(given: string | undefined, reserved: readonly Reserved[], report: Report): Cidr {
  const usual = Cidr.parse(defaultSubnet) as Cidr;
  const space = Cidr.parse(given ?? defaultSubnet);
  if (!isCidr(space)) {
    report("subnet", space.problem, space.fix);
    return usual;
  }
  if (!isPrivate(space)) report("subnet", `${space} are public addresses: the hosts could not reach their real owners`, "take private space");
  for (const { network, what } of reserved) {
    if (space.overlaps(network)) report("subnet", `${space} overlaps ${network}, ${what}`, "choose a network that is free everywhere");
  }
  if (space.prefix <= longestSubnet) return space;
  report("subnet", `${space} is too small: each group of hosts has a block of it`, `take a /${longestSubnet} or larger`);
  return usual;
}

function inWordsOfTheMesh(channel: EncryptionChannel): EncryptionChannel {
  return { ...channel, rotation: channel.rotation.replace("underlay.rotation", "rotation") };
}

function checkHosts({ reachableSeconds: seconds, recheck }: HostsAloneArgs, report: Report): void {
  if (seconds !== undefined && !(typeof seconds === "number" && seconds >= 5 && seconds <= 900))
    report("reachableSeconds", `${show(seconds)} is not a usable time`, "give seconds from 5 to 900");
  if (recheck !== undefined && !(typeof recheck === "string" && recheck !== ""))
    report("recheck", `${show(recheck)} is not a text`, 'write a text, such as "2026-05-01"');
}
