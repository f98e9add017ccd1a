import type { FirewallRule } from "../firewall/rule";
import { openToAnyAddress } from "../firewall/resolve";
import { isWorldOpen, worldInWords } from "../firewall/world";
import type { Topology, TopologyHost } from "../topology/topology";
import type { Unmarked } from "./piece";
import { isMembers, line, said, saidAll } from "./words";

export function hostPiece(host: TopologyHost): Unmarked {
  const { key, group, role, provider, site, zone, address, publicAddress, tunnelAddress, containerSubnet } = host;
  const part = (what: string, value: unknown): string => (value === undefined ? "" : `${what} ${said(value)}`);
  return {
    id: key,
    ...(group !== undefined && { group: said(group) }),
    kind: role === "manager" ? "manager" : "worker",
    name: said(key),
    says: line(address === undefined ? "address known only when made" : said(address), zone === undefined ? undefined : `zone ${said(zone)}`),
    tip: [
      `${said(key)}: ${said(role)} (${said(provider)}) in site ${said(site)}`,
      part("zone", zone),
      part("address", address),
      part("from outside", publicAddress),
      part("in the tunnel", tunnelAddress),
      part("containers", containerSubnet),
    ]
      .filter((text) => text !== "")
      .join(", "),
  };
}

/** What is open to others than the cluster's own hosts. */
export function openingPieces(topology: Topology): Unmarked[] {
  return topology.rules
    .filter((rule) => isOpening(rule, topology))
    .map((rule) => {
      const all = saidAll(rule.from);
      const outside = all.filter((source) => !isMembers(source));
      const world = isWorldOpen({ from: outside });
      const from = world
        ? (worldInWords(outside) ?? "").replace("the whole Internet", "the world")
        : outside.length > 0
          ? firstOf(outside)
          : `${firstOf(all)}, wherever they are`;
      const name = `${portsOf(rule)} ${said(rule.name)}`;
      return { ...rulePiece(rule), kind: world ? "world" : "opening", name, says: `${rule.to === "members" ? "" : `${onOf(rule)} `}from ${from}` };
    });
}

/** What the cluster's own hosts let in from each other. */
export function rulePieces(topology: Topology): Unmarked[] {
  return topology.rules.filter((rule) => !isOpening(rule, topology)).map(rulePiece);
}

/** A tunnel that has to be open to hosts whose address nobody knows is open to any address. */
function isOpening(rule: FirewallRule, { hosts }: Topology): boolean {
  return saidAll(rule.from).some((source) => !isMembers(source)) || openToAnyAddress(rule, hosts).on.length > 0;
}

function rulePiece(rule: FirewallRule): Unmarked {
  const from = saidAll(rule.from).join(", ");
  const tunnel = rule.over === "tunnel" ? " in the tunnel" : "";
  return {
    id: rule.name,
    kind: "rule",
    name: portsOf(rule),
    says: said(rule.name),
    tip: `${said(rule.name)}: ${portsOf(rule)} on ${onOf(rule)} from ${from}${tunnel}, answered by the ${said(rule.answers)}: ${said(rule.reason)}`,
  };
}

/** The first of many, a single address without the length of its prefix: all are in the tip as they are. */
function firstOf([first = "", ...others]: readonly string[]): string {
  const alone = first.replace(/\/(32|128)$/, "");
  return others.length === 0 ? alone : `${alone} and ${others.length} more`;
}

function portsOf({ ports, protocol }: Pick<FirewallRule, "ports" | "protocol">): string {
  const all = saidAll(ports).join(",");
  return all === "" ? said(protocol) : `${all}/${said(protocol)}`;
}

function onOf({ to }: FirewallRule): string {
  return to === "members" ? "all hosts" : said(to);
}

export function networkPieces({ networks }: Topology): Unmarked[] {
  return networks.map(({ name, subnet, internal }) => {
    const says = line(said(subnet), internal ? "internal" : "");
    return { id: name, kind: internal ? "internal" : "network", name: said(name), says, tip: `network ${said(name)}, ${says}` };
  });
}

/** What containers are let in from other networks, and from outside. */
export function policyPieces({ policies }: Topology): Unmarked[] {
  return policies.map(({ name, from, to, ports, protocol }) => {
    const way = `${saidAll(from).join(", ")} to ${saidAll(to).join(", ")}, ${portsOf({ ports, protocol })}`;
    const kind = isWorldOpen({ from: saidAll(from) }) ? "world" : "rule";
    return { id: `policy ${name}`, kind, name: said(name), says: way, tip: `policy ${said(name)}: ${way}` };
  });
}

/** What containers reach outside the swarm. */
export function gatewayPieces({ gateways }: Topology): Unmarked[] {
  return gateways.map(({ name, to, port, targetPort, on, networks, encryptedBy }) => {
    const target = `${said(to)}:${said(targetPort)}`;
    const tip = `gateway ${said(name)}:${said(port)} to ${target} by ${said(on)}, for networks ${saidAll(networks).join(", ")}, encrypted by: ${said(encryptedBy)}`;
    return { id: `gateway ${name}`, kind: "rule", name: `${said(name)}:${said(port)}`, says: `${target} by ${said(on)}`, tip };
  });
}

/** To which routers outside hosts announce containers. */
export function peerPieces({ peers }: Topology): Unmarked[] {
  return peers.map(({ name, address, as, on, announces, accepts, signedBy }) => {
    const told = saidAll(Object.keys(announces)).join(", ");
    const says = `${told === "" ? "nothing" : told} by ${said(on)}`;
    const taken = accepts.length === 0 ? "takes nothing" : `takes ${saidAll(accepts).join(", ")}`;
    const tip = `router ${said(name)} (${said(address)}, AS ${said(as)}): ${said(on)} announces ${told === "" ? "nothing" : told}, ${taken}, signed by ${said(signedBy)}`;
    return { id: `router ${name}`, kind: "rule", name: said(name), says, tip };
  });
}

/** At which host machines outside take part in networks. */
export function trunkPieces({ trunks }: Topology): Unmarked[] {
  return trunks.map(({ name, network, vlan, on, interface: link, addresses, mtu }) => {
    const says = `VLAN ${said(vlan)} in ${said(network)} at ${said(on)}`;
    const tip = `trunk ${said(name)}: VLAN ${said(vlan)} at ${said(link)} of ${said(on)} is network ${said(network)}; machines there have addresses of ${said(addresses)}, MTU ${said(mtu)}`;
    return { id: `trunk ${name}`, kind: "rule", name: said(name), says, tip };
  });
}

export function programPieces({ programs }: Topology): Unmarked[] {
  return programs.map(({ name, version }) => ({
    id: name,
    kind: "program",
    name: said(name),
    says: said(version),
    tip: `${said(name)} ${said(version)} runs on hosts`,
  }));
}

export function channelPieces({ encryption }: Topology): Unmarked[] {
  return encryption.map(({ channel, mechanism, protects, keyHolder, rotation, note }) => ({
    id: channel,
    kind: protects ? "protected" : "bare",
    name: said(channel),
    says: protects ? "" : "not protected",
    tip: `${said(channel)}: ${said(mechanism)}; key: ${said(keyHolder)}; renewed: ${said(rotation)}${note === undefined ? "" : `; ${said(note)}`}`,
  }));
}
