import { Cidr, isCidr } from "../addresses/cidr";
import type { PlannedSubnet } from "../addresses/subnets";
import { fewOf, type Report } from "../report";
import type { PlannedNetwork } from "./network";

/** A subnet's first and last address, which Docker gives to nobody, and the gateway's (moby, libnetwork/ipams/defaultipam: newPoolData). */
const kept = 3;
/** The largest subnet that a network may have. */
const shortestPrefix = 16;

function roomIn(prefix: number): number {
  return 2 ** (32 - prefix) - kept;
}

/** Prefix with room for a service with a task on each host: an address for each task, one for each host's load balancer, and the virtual one. */
function wantedFor(hosts: number): number {
  const addresses = 2 * hosts + 1;
  return Math.max(shortestPrefix, 32 - Math.ceil(Math.log2(addresses + kept)));
}

/**
 * All nodes are on the ingress network, whatever runs on them (swarmkit, manager/allocator/network.go: getNodeNetworks). A node for which no
 * address is left there does not have it (moby, daemon/network.go: "failed to find a load balancer IP to use for network"; seen on 26.1.5).
 *
 * @param space The prefix of the address space.
 */
export function checkIngress(hosts: number, { cidr, pin, pinned }: PlannedSubnet, space: number, report: Report): void {
  const prefix = prefixOf(cidr);
  if (hosts <= roomIn(prefix)) return;
  const wanted = wantedFor(hosts);
  const has = `has ${roomIn(prefix)} addresses, and Docker takes one on each of the ${hosts} hosts`;
  if (pinned) report(pin, `${cidr} ${has}`, `pin a /${wanted} or larger`);
  else {
    const fix = `take a /${space - prefix + wanted} or larger, or set ${pin} to a free /${wanted} or larger`;
    report("addressSpace", `the ingress network's part of it, ${cidr}, ${has}`, fix);
  }
}

/** Where the hosts fit into the ingress network, and a published service with a task on each does not. */
export function ingressWarnings(hosts: number, { cidr, pin }: PlannedSubnet): string[] {
  const prefix = prefixOf(cidr);
  if (wantedFor(hosts) >= prefix) return [];
  const left = `Docker takes one on each of the ${hosts} hosts, so ${roomIn(prefix) - hosts} remain for tasks and virtual addresses of services that publish ports`;
  const fix = `Take a larger addressSpace, or set ${pin} to a free /${wantedFor(hosts)}: it cannot be changed while a service publishes ports by it`;
  return [`the ingress network (a /${prefix}) has ${roomIn(prefix)} addresses. ${left}: ${tooFew(hosts)}. ${fix}`];
}

/**
 * Networks on which a service with a task on each host has no room. Of Docker's own driver alone: a host takes an address where it runs a task,
 * and only on these (swarmkit, manager/allocator/network.go: getNodeNetworks, isOverlayNetwork). The tasks of a host for which none is left stay
 * in "Preparing", without an error (seen on 26.1.5).
 */
export function roomWarnings(hosts: number, networks: readonly PlannedNetwork[]): string[] {
  const narrow = networks.filter(({ driver, subnet }) => driver === "overlay" && wantedFor(hosts) < prefixOf(subnet));
  const prefixes = [...new Set(narrow.map(({ subnet }) => prefixOf(subnet)))].sort((one, other) => other - one);
  return prefixes.map((prefix) => {
    const names = narrow.filter(({ subnet }) => prefixOf(subnet) === prefix).map(({ name }) => name);
    const has = names.length === 1 ? `network ${names.join()} (a /${prefix}) has` : `networks ${fewOf(names.sort())} (a /${prefix} each) have`;
    const remain = roomIn(prefix) > hosts ? roomIn(prefix) - hosts : "none";
    const left = `Docker takes one on each host that runs a task there, so with tasks on all ${hosts} hosts ${remain} remain for tasks and virtual addresses`;
    const fix = `Take a /${wantedFor(hosts)}: a network cannot be changed while a service uses it`;
    return `${has} ${roomIn(prefix)} addresses${names.length === 1 ? "" : " each"}. ${left}: ${tooFew(hosts)}. ${fix}`;
  });
}

/** What kubelet lets run on one host, unless it is told otherwise (its maxPods). */
const containersOnHost = 110;

/**
 * Each container on an overlay network also has an address on its host's docker_gwbridge, by which it gets out (moby, libnetwork:
 * default_gateway.go); those of macvlan get out by their own network. One for which none is left does not start.
 *
 * @param gwbridge Nothing where Docker chooses it by itself.
 */
export function gwbridgeWarnings(gwbridge: PlannedSubnet | undefined, networks: readonly PlannedNetwork[]): string[] {
  const prefix = prefixOf(gwbridge?.cidr ?? "");
  if (!gwbridge || roomIn(prefix) >= containersOnHost || networks.every(({ driver, internal }) => driver === "macvlan" || internal)) return [];
  const fix = `Take a larger addressSpace, or set ${gwbridge.pin} to a free /24: it can be changed later only where a host has no container on it`;
  return [
    `docker_gwbridge (a /${prefix}, ${gwbridge.cidr}) has ${roomIn(prefix)} addresses, and each container on an overlay network takes one on its host: ` +
      `no host can run more of them. ${fix}`,
  ];
}

function tooFew(hosts: number): string {
  return `too few for a service with a task on each host, which takes ${hosts + 1}`;
}

function prefixOf(subnet: string): number {
  const network = Cidr.parse(subnet);
  return isCidr(network) ? network.prefix : 0;
}
