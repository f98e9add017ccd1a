import { openToAnyAddress } from "../firewall/resolve";
import { isWorldOpen, togetherInWords } from "../firewall/world";
import { smallestMtu } from "../addresses/mtu";
import { type HostProgram, showSource } from "../programs/program";
import type { PlannedSubnet } from "../addresses/subnets";
import type { ClusterPlan } from "./planned";
import { isSlice } from "./subnets";

/** The plan as a person reads it in ten seconds. */
export function summarize(cluster: string, plan: ClusterPlan): string {
  return [
    `Swarm cluster "${cluster}"`,
    ...section("hosts", hostLines(plan)),
    ...section("quorum", [plan.quorum.says]),
    ...section("open", openLines(plan)),
    ...section("encrypted", encryptionLines(plan)),
    ...section("gateways", plan.gateways.map(gatewayLine)),
    ...section("routers", plan.peers.map(peerLine)),
    ...section("trunks", plan.trunks.map(trunkLine)),
    ...section("subnets", subnetLines(plan)),
    ...section("MTU", [mtuLine(plan)]),
    ...section("programs", plan.programs.map(programLine)),
    ...section("look at", plan.warnings),
  ].join("\n");
}

const width = 11;

function section(title: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? title : "").padEnd(width)}${line}`);
}

/** By site and role, with the groups' sizes: a thousand hosts are still a few lines. */
function hostLines({ hosts, sites }: ClusterPlan): string[] {
  return sites.map(({ key }) => {
    const here = hosts.filter(({ site }) => site === key);
    const roles = (["manager", "worker"] as const).flatMap((role) => {
      const members = here.filter((host) => host.role === role);
      if (members.length === 0) return [];
      const groups = [...new Set(members.map(({ group }) => group))].map((group) => {
        const size = members.filter((host) => host.group === group).length;
        return `${group} ${size}`;
      });
      return [`${members.length} ${role}${members.length === 1 ? "" : "s"} (${groups.join(", ")})`];
    });
    return `${roles.join(", ")} in site "${key}"`;
  });
}

function openLines({ firewall, policies, enforced, hosts }: ClusterPlan): string[] {
  const rules = firewall.map((rule) => ({ rule, anyAddress: openToAnyAddress(rule, hosts).on.length > 0 }));
  const [open, closed] = [true, false].map((wanted) => rules.filter(({ rule, anyAddress }) => (anyAddress || isWorldOpen(rule)) === wanted));
  const lines = [...(open ?? []), ...(closed ?? [])].map(({ rule, anyAddress }) => {
    const ports = rule.ports.length > 0 ? `${rule.ports.join(",")}/${rule.protocol}` : rule.protocol;
    const together = togetherInWords(rule.from);
    const from = `${rule.from.join(", ")}${together === undefined ? "" : ` (${together})`}${anyAddress ? " at any address" : ""}`;
    return `${ports} on ${rule.to} from ${from}${rule.over === "tunnel" ? " in the tunnel" : ""}: ${rule.name}`;
  });
  const between = policies.map(
    ({ name, from, to, protocol, ports }) => `${ports.join(",")}/${protocol} of containers on ${to.join(", ")} from ${from.join(", ")}: ${name}`,
  );
  return [...lines, ...between, enforced === "hosts" ? "nothing else" : "everything else that your own firewall allows: none is kept on the hosts"];
}

function gatewayLine({ name, port, networks, to, targetPort, on, replicas, hosts, encryptedBy }: ClusterPlan["gateways"][number]): string {
  const where = `${replicas} of ${hosts.length === 1 ? "1 host" : `${hosts.length} hosts`} of "${on}"`;
  return `${name}:${port} on ${networks.join(", ")} leads to ${to}:${targetPort} through ${where}; encrypted up to there: ${encryptedBy}`;
}

function peerLine({ name, address, as, on, announces, accepts, signedBy }: ClusterPlan["peers"][number]): string {
  const told = Object.keys(announces).join(", ");
  const taken = accepts.length === 0 ? "take nothing from it" : `take a way to ${accepts.join(", ")} from it`;
  return `${name} (${address}, AS ${as}): ${on} announce ${told === "" ? "nothing" : told}; ${taken}; signed by ${signedBy}`;
}

function trunkLine({ name, network, vlan, interface: link, on, addresses, subnet, mtu }: ClusterPlan["trunks"][number]): string {
  const prefix = subnet.slice(subnet.indexOf("/"));
  return `${name}: VLAN ${vlan} at ${link} of ${on} is network ${network}; machines there have addresses of ${addresses} with prefix ${prefix}, and MTU ${mtu}`;
}

function programLine(program: HostProgram): string {
  return `${program.name} ${program.version} from ${showSource(program)}`;
}

function encryptionLines({ encryption }: ClusterPlan): string[] {
  const bare = encryption
    .filter(({ protects }) => !protects)
    .map(({ channel, mechanism }) => (mechanism.startsWith("none") ? channel : `${channel} (${mechanism})`));
  return [
    ...encryption.filter(({ protects }) => protects).map(({ channel, mechanism }) => `${channel}: ${mechanism}`),
    ...(bare.length > 0 ? [`not protected: ${bare.join(", ")}`] : []),
  ];
}

function subnetLines({ subnets }: ClusterPlan): string[] {
  return subnets.map((subnet) => `${placeOf(subnet).padEnd(18)} ${subnet.owner}${subnet.pinned ? " (pinned)" : ""}`);
}

/** A network keeps its slice where it is, and only the state knows where that was. */
function placeOf(subnet: PlannedSubnet): string {
  return isSlice(subnet) && !subnet.pinned ? `a /${subnet.cidr.split("/")[1]} of each host` : subnet.cidr;
}

function mtuLine({ mtu, underlayMtu, underlay, sites }: ClusterPlan): string {
  const smallest = smallestMtu(sites);
  const where = smallest < Math.min(...sites.map((site) => site.mtu)) ? "between the sites" : "on the site's network";
  const under = underlay === "direct" ? "" : `, ${underlayMtu} on ${underlay}`;
  return `${mtu} for containers (${smallest} ${where}${under})`;
}
