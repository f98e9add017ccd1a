import { ownBridges } from "../engine/bridges";
import { metricsRules } from "../engine/metrics";
import { planFirewall } from "../firewall/plan";
import type { PlannedHost, Site } from "../hosts/host";
import type { Problem } from "../report";
import { areRead, checkGroups, type Groups, planHosts, planSites } from "../hosts/plan";
import { type GatewayContext, gatewayWarnings, planGateways, withGatewayLabels } from "../gateways/plan";
import { swarmRules } from "../membership/rules";
import { smallestMtu, underlayMtu } from "../addresses/mtu";
import { planSpace } from "../addresses/space";
import { Pins, reportOverlaps } from "../addresses/subnets";
import { checkTunnelPort } from "../underlay/port";
import { planTunnel } from "../underlay/tunnel";
import { planPolicies } from "../network-policy/plan";
import { planNetworks } from "../networks/plan";
import { checkIngress, gwbridgeWarnings, ingressWarnings, roomWarnings } from "../networks/room";
import { overlayOptions } from "../overlays/kinds";
import { native } from "../overlays/native";
import { isOverlay, type OverlayPlan } from "../overlays/overlay";
import { mirrorProblems } from "../programs/plan";
import { direct } from "../underlay/direct";
import { underlayOptions } from "../underlay/kinds";
import { isUnderlay, type UnderlayPlan } from "../underlay/underlay";
import { checkMaintenance } from "../walk/rules";
import { collectOptions, planOptions } from "../options";
import { clusterOptions, type SwarmClusterArgs } from "./args";
import { checkCloudRules } from "../hosts/cloud-rules";
import { reportSameNames } from "../names/planned";
import { planEncryption } from "./encryption";
import { clusterNames } from "./names";
import { checkRoutes, planContainers, planOnHosts, planOutside, planTrunksOf } from "./on-hosts";
import { reservedNetworks } from "./reserved";
import { describeProblems as describe, type Report, show } from "../report";
import { checkAdopt, checkEngine, checkMembership, checkSwarmOptions, engineWarnings, planQuorum, siteLossWarnings, sizeWarnings } from "./rules";
import { checkRenumber, renumberWarnings } from "./renumber";
import { planBridges, planSubnets } from "./subnets";
import type { Planned } from "./planned";

/** Computes the plan of the whole cluster from its arguments, and finds all problems in them. Touches nothing. */
export function planCluster(args: SwarmClusterArgs): Planned {
  return planOptions<SwarmClusterArgs, Planned>(args, clusterOptions, { hosts: {} }, planRead);
}

/** Of the arguments, those that are no options, or not of their kind: what can be told without a plan. */
export function optionProblems(args: SwarmClusterArgs): readonly Problem[] {
  return collectOptions<SwarmClusterArgs>(args, clusterOptions, "").problems;
}

function planRead(args: SwarmClusterArgs): Planned {
  const problems: Problem[] = [];
  const report = (path: string, message: string, fix: string): void => void problems.push({ path, message, fix });

  const groups = checkGroups(args.hosts, report);
  const pins = new Pins(args.pins ?? {}, report);
  const sites = planSites(groups, report);
  const { hosts: machines, blocks } = planHosts(args.hosts, groups, sites, pins, report);
  const own = ownBridges(args.engine?.settings);
  const reserved = reservedNetworks(args.avoid ?? [], groups, sites, machines, own, report);
  const space = planSpace(args.addressSpace, reserved, report);
  const underlay = planUnderlay(args, sites, machines, problems);
  const tunnel = underlay.tunnel && planTunnel(machines, space.tunnel, pins, report);
  const tunnelled = machines.map((host): PlannedHost => withTunnel(host, tunnel?.addresses.get(host.key)));
  const overlay = planOverlay(args, sites, tunnelled, underlay, problems);
  checkRoutes(groups, tunnelled, overlay, report);
  const containers = planContainers(tunnelled, space, overlay, pins, report);
  const drained = drainedHosts(args.maintenance);
  const hosts = tunnelled.map((host): PlannedHost => ({
    ...withContainers(host, containers?.pieces.get(host.key)?.toString()),
    ...(drained.includes(host.key) && { availability: "drain" as const }),
  }));
  const mtu = planMtu(sites, underlay, report);
  const networks = planNetworks(
    args.networks ?? {},
    {
      networks: space.networks,
      reserved: [...reserved, { network: space.lower, what: "the half of the address space for Docker and hosts" }],
      containers: space.containers,
    },
    overlay,
    mtu,
    report,
  );
  const policy = planPolicies(
    args.policy ?? {},
    { networks: Object.keys(args.networks ?? {}), groups: firewallGroups(groups), refused: overlay.noPolicies },
    report,
  );
  const groupBlocks = [...blocks, ...(tunnel?.blocks ?? []), ...(containers?.blocks ?? [])];
  const subnets = planSubnets({ space, pins, blocks: groupBlocks, networks, given: args.networks ?? {}, own });
  pins.reportUnused(subnets.map(({ owner }) => owner).filter((owner) => !/^(network|slice|ranges) /.test(owner)));
  // A space that lies on something is told as such; where its pieces lie follows from it.
  const misplaced = problems.some(({ path }) => path === "addressSpace");
  reportOverlaps(misplaced ? subnets.filter(({ pinned }) => pinned) : subnets, reserved, report);
  const ingress = subnets.filter(({ owner }) => owner === "ingress");
  for (const subnet of ingress) checkIngress(hosts.length, subnet, space.whole.prefix, report);
  // Nobody knows what a group is in the swarm that cannot be read, and without groups nothing else is to be said of managers.
  const quorum = planQuorum(hosts, groups.length > 0 && areRead(args.hosts, groups) ? report : () => {});
  checkEngine(args.engine ?? {}, report);
  checkMaintenance(
    args.maintenance ?? {},
    hosts.map(({ key }) => key),
    report,
  );
  checkMembership(args.membership ?? {}, hosts, report);
  checkAdopt(args.adopt, underlay.tunnel !== undefined, report);
  const ofSwarm = [...swarmRules(underlay.over), ...metricsRules(args.engine ?? {}, underlay.over), ...overlay.rules];
  checkTunnelPort(underlay.rules, ofSwarm, report);
  const placed = { hosts, groups, networks, space, given: args.networks ?? {} };
  const outside = planOutside(overlay, { ...placed, sites, subnets }, report);
  const trunks = planTrunksOf(overlay, { ...placed, outside: containers?.outside, mtu: overlay.containerMtu(mtu) }, report);
  const contributed = [
    ...swarmRules(underlay.over),
    ...underlay.rules,
    ...overlay.rules,
    ...outside.rules,
    ...metricsRules(args.engine ?? {}, underlay.over),
  ];
  const firewall = planFirewall(args.firewall, { groups: firewallGroups(groups), sshPorts: sshPorts(hosts), contributed }, report);
  checkCloudRules(groups, hosts, firewall.rules, report);
  checkSwarmOptions(args.swarm ?? {}, report);
  const renumber = checkRenumber(args.renumber, report);

  const encryption = planEncryption(underlay, overlay, args.swarm ?? {}, groups);
  const around: GatewayContext = {
    ...{ hosts, sites, networks, encryption, addressSpace: space.whole, mirror: args.programs?.mirror },
    groups: groups.map(([key]) => key),
    networkNames: Object.keys(args.networks ?? {}),
  };
  const gateways = planGateways(args.gateways ?? {}, around, report);
  const onHosts =
    overlay.settings && planOnHosts({ ...overlay.settings, ...outside.settings, ...trunks.settings }, overlay, space, networks, policy.policies);
  const { programs } = overlay;
  const named = {
    hosts,
    networks,
    policies: policy.policies,
    peers: outside.peers,
    trunks: trunks.trunks,
    gateways,
    firewall: firewall.rules,
    encryption,
    programs,
    subnets,
    ...(onHosts && { onHosts }),
  };
  reportSameNames(clusterNames("", named, groups, args.firewall), report);

  return {
    plan: {
      addressSpace: space.whole.toString(),
      dockerPool: space.docker.toString(),
      sites,
      hosts: withGatewayLabels(hosts, gateways),
      networks,
      policies: policy.policies,
      peers: outside.peers,
      trunks: trunks.trunks,
      gateways,
      quorum,
      overlay: overlay.kind,
      underlay: underlay.kind,
      underlayMtu: mtu,
      mtu: overlay.containerMtu(mtu),
      bridges: planBridges(subnets, space, mtu),
      needs: overlay.needs,
      programs,
      ...(onHosts && { onHosts }),
      ...(overlay.revisitDays !== undefined && { revisitDays: overlay.revisitDays }),
      ...(underlay.tunnel && { tunnel: { ...underlay.tunnel, subnet: space.tunnel.toString() } }),
      subnets,
      firewall: firewall.rules,
      enforced: firewall.enforce,
      encryption,
      warnings: [
        ...sizeWarnings(hosts),
        ...siteLossWarnings(hosts, quorum),
        ...roomWarnings(hosts.length, networks),
        ...ingress.flatMap((subnet) => ingressWarnings(hosts.length, subnet)),
        ...gwbridgeWarnings(
          subnets.find(({ owner }) => owner === "docker_gwbridge"),
          networks,
        ),
        ...cloudWarnings(groups, hosts),
        ...engineWarnings(args.engine ?? {}),
        ...overlay.warnings,
        ...outside.warnings,
        ...trunks.warnings,
        ...policy.warnings,
        ...gatewayWarnings(gateways, around),
        ...firewall.warnings,
        ...renumberWarnings(renumber, subnets),
      ],
    },
    problems,
  };
}

/** Each once, though all groups of a site say it. */
function cloudWarnings(groups: Groups, hosts: readonly PlannedHost[]): readonly string[] {
  return [...new Set(groups.flatMap(([, group]) => group.warnings?.(hosts) ?? []))];
}

function withTunnel(host: PlannedHost, tunnelAddress: string | undefined): PlannedHost {
  return tunnelAddress === undefined ? host : { ...host, tunnelAddress };
}

function withContainers(host: PlannedHost, containerSubnet: string | undefined): PlannedHost {
  return containerSubnet === undefined ? host : { ...host, containerSubnet };
}

/** A program without types may give anything. */
function drainedHosts({ drained }: NonNullable<SwarmClusterArgs["maintenance"]> = {}): readonly string[] {
  return Array.isArray(drained) ? (drained as readonly string[]) : [];
}

/** Largest packet between hosts. */
export function planMtu(sites: readonly Site[], { overhead, mtu }: Pick<UnderlayPlan, "overhead" | "mtu">, report: Report): number {
  const most = underlayMtu([smallestMtu(sites)], overhead);
  if (mtu !== undefined && mtu > most) {
    report(
      "underlay.mtu",
      `${mtu} is more than the sites carry: ${most} is left of the smallest after ${overhead} bytes for the tunnel`,
      "leave it out",
    );
  }
  return Math.min(most, mtu ?? most);
}

/** Overlays and underlays are easily taken for each other, and each has a plan of its own form. */
function isOneOf(kinds: object, kind: string): boolean {
  return Object.hasOwn(kinds, kind);
}

function planUnderlay(args: SwarmClusterArgs, sites: readonly Site[], hosts: readonly PlannedHost[], problems: Problem[]): UnderlayPlan {
  const { underlay = direct() } = args;
  const context = { sites, hosts };
  if (!isUnderlay(underlay)) {
    problems.push({ path: "underlay", message: `${show(underlay)} is not an underlay`, fix: "use direct() or wireguard()" });
    return direct().plan(context);
  }
  if (isOneOf(overlayOptions, underlay.kind)) {
    problems.push({ path: "underlay", message: `${underlay.kind} is an overlay`, fix: `write it as overlay: ${underlay.kind}()` });
    return direct().plan(context);
  }
  const plan = underlay.plan(context);
  problems.push(...plan.problems);
  return plan;
}

function planOverlay(
  args: SwarmClusterArgs,
  sites: readonly Site[],
  hosts: readonly PlannedHost[],
  underlay: UnderlayPlan,
  problems: Problem[],
): OverlayPlan {
  const { overlay = native() } = args;
  const engineVersion = args.engine?.version;
  const context = {
    sites: [...new Set(hosts.map(({ site }) => site))],
    networks: Object.fromEntries(sites.flatMap(({ key, network }) => (network === undefined ? [] : [[key, network]]))),
    hosts,
    underlay,
    behindNat: [
      ...new Set(hosts.filter(({ address, publicAddress }) => publicAddress === undefined || publicAddress !== address).map(({ site }) => site)),
    ],
    ...(engineVersion !== undefined && { engineVersion }),
    ...(args.programs?.mirror !== undefined && { mirror: args.programs.mirror }),
  };
  if (!isOverlay(overlay)) {
    problems.push({
      path: "overlay",
      message: `${show(overlay)} is not an overlay`,
      fix: "use native(), weave(), flannel(), calico() or openvswitch()",
    });
    return native().plan(context);
  }
  if (isOneOf(underlayOptions, overlay.kind)) {
    problems.push({ path: "overlay", message: `${overlay.kind} is an underlay`, fix: `write it as underlay: ${overlay.kind}()` });
    return native().plan(context);
  }
  const plan = overlay.plan(context);
  problems.push(...mirrorProblems(args.programs?.mirror), ...plan.problems);
  return plan;
}

export function firewallGroups(
  groups: Groups,
): { readonly key: string; readonly role: PlannedHost["role"]; readonly adminSources?: readonly string[] }[] {
  // By name, not by the order in which they were written: the plan does not depend on it.
  return groups
    .map(([key, { role, adminSources }]) => ({ key, role, ...(adminSources && { adminSources }) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

export function sshPorts(hosts: readonly PlannedHost[]): number[] {
  return [...new Set(hosts.map(({ sshPort }) => sshPort))].sort((a, b) => a - b);
}

/** All problems of a cluster as one message. */
export function describeProblems(cluster: string, problems: readonly Problem[]): string {
  return describe(`swarm cluster "${cluster}"`, problems);
}
