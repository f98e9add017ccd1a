import type { EncryptionChannel } from "../../addresses/encryption";
import { containerMtu } from "../../addresses/mtu";
import type { FirewallRule } from "../../firewall/rule";
import { longestRange } from "../ranges";
import { type Problem, show } from "../../report";
import { ingressData } from "../ingress-data";
import type { OverlayContext, OverlayPlan } from "../overlay";
import { plainBetweenSites, plainData } from "../plain-data";
import { planTrunks } from "./trunks/plan";
import { type OpenvswitchArgs, type OpenvswitchSettings, tunnelPort, usual } from "./args";

/** Room for at least two groups, and for eight where that can be. */
function usualPerGroup(places: number): number {
  return Math.min(usual.hostsPerGroup, Math.max(4, places / 8));
}

/** The host's own links in its networks are called so. */
const gates = "ovg-*";

/** What it asks of the plan, and what is wrong in its arguments. Pure. */
export function planOpenvswitch(args: OpenvswitchArgs, context: OverlayContext): OverlayPlan {
  const { underlay } = context;
  const { trunks = {} } = args;
  const places = isPower(args.mostHosts, 8, 512) ? args.mostHosts : usual.mostHosts;
  const settings: OpenvswitchSettings = { tunnel: underlay.over === "tunnel" };
  return {
    kind: "openvswitch",
    driver: "macvlan",
    containerMtu: (underlayMtu) => containerMtu(underlayMtu, "tagged vxlan"),
    // They are those of the network that each host has for it.
    networkOptions: () => ({}),
    placement: {
      kind: "ranges",
      places,
      hostsPerGroup: isPower(args.hostsPerGroup, 4, places) ? args.hostsPerGroup : usualPerGroup(places),
      ...(Object.keys(trunks).length > 0 && { outside: true }),
      rangePrefix: isWhole(args.hostPrefix, 23, longestRange) ? args.hostPrefix : usual.hostPrefix,
    },
    rules: [tunnels(context), ingressData(underlay)],
    routedIn: { interface: gates },
    encryption: [withTrunks(plainData(underlay), Object.keys(trunks))],
    needs: { features: ["vxlan", "macvlan", "openvswitch"] },
    programs: [],
    settings,
    serves: "routed addresses",
    noPolicies: "each network is a VLAN of its own, and no host routes from one to another",
    ...(Object.keys(trunks).length > 0 && { trunks: (placed) => planTrunks(trunks, placed) }),
    problems: [...argumentProblems(args, places), ...plainBetweenSites("openvswitch", context), ...sizeProblems(places, context)],
    warnings: [],
  };
}

/** Past the host, nothing of ours protects anything. */
function withTrunks(data: EncryptionChannel, trunks: readonly string[]): EncryptionChannel {
  if (trunks.length === 0) return data;
  const readable = `on the VLANs of ${trunks.join(", ")}, whoever is there can read what is sent to machines there and to all`;
  return { ...data, note: data.note === undefined ? readable : `${data.note}; ${readable}` };
}

function tunnels({ underlay }: OverlayContext): FirewallRule {
  return {
    name: "overlay-data",
    protocol: "udp",
    ports: [String(tunnelPort)],
    from: ["members"],
    to: "members",
    over: underlay.over,
    answers: "host",
    reason: "VXLAN between Open vSwitch's bridges: containers' packets between hosts",
  };
}

function argumentProblems({ mostHosts, hostsPerGroup, hostPrefix }: OpenvswitchArgs, places: number): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, message: string, fix: string): void => void problems.push({ path: `overlay.${path}`, message, fix });
  if (mostHosts !== undefined && !isPower(mostHosts, 8, 512)) {
    refuse("mostHosts", `${show(mostHosts)} is not a number of hosts that networks can be divided among`, "give a power of two from 8 to 512");
  }
  if (hostsPerGroup !== undefined && !isPower(hostsPerGroup, 4, places)) {
    refuse("hostsPerGroup", `${show(hostsPerGroup)} is not a number of hosts for a group`, `give a power of two from 4 to ${places}`);
  }
  if (hostPrefix !== undefined && !isWhole(hostPrefix, 23, longestRange)) {
    refuse("hostPrefix", `${show(hostPrefix)} is not usable for a host's part of a network`, `give a prefix length from 23 to ${longestRange}`);
  }
  return problems;
}

function sizeProblems(places: number, { hosts }: OverlayContext): Problem[] {
  if (hosts.length <= places) return [];
  return [
    {
      path: "overlay.mostHosts",
      message: `networks are divided among ${places} hosts, and there are ${hosts.length}`,
      fix: `give a power of two of at least ${hosts.length}, up to 512, or take native()`,
    },
  ];
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function isPower(value: unknown, least: number, most: number): value is number {
  return isWhole(value, least, most) && Number.isInteger(Math.log2(value));
}
