import { createHash } from "node:crypto";
import { assignBlocks } from "../../addresses/blocks";
import { Cidr } from "../../addresses/cidr";
import { type NetworkRanges, rangeOf } from "../ranges";
import { hostNetworkOf } from "../docker-network";

/** A network as one host has it. */
export interface HostNetwork {
  readonly name: string;
  readonly subnet: string;
  readonly internal: boolean;
  /** The same on all hosts. */
  readonly vlan: number;
  /** Out of which its containers on this host have their addresses. */
  readonly range: Cidr;
  /** The host's own address in it, with the subnet's prefix. Its containers go out by it. */
  readonly gateway: string;
  /** The end of a link on which containers hang, and the end that is in the bridge. */
  readonly parent: string;
  readonly port: string;
  /** The same of the host itself. */
  readonly gate: string;
  readonly gatePort: string;
}

/** A way to another host. */
export interface TunnelLink {
  readonly link: string;
  /** VXLAN's number for this pair of hosts. */
  readonly number: number;
  readonly remote: string;
  /** Of the port in the bridge. */
  readonly port: number;
}

/** A host among the others. */
export interface PlacedHost {
  readonly address: string;
  /** Its number among all places, from 0. */
  readonly place: number;
}

const prefixes = { parent: "ovp", port: "ovb", gate: "ovg", gatePort: "ovh" } as const;

/** Interfaces have at most 15 letters, and networks' names more; the same name is the same on all hosts. */
function linkName(end: keyof typeof prefixes, network: string): string {
  return `${prefixes[end]}-${createHash("sha256").update(network).digest("hex").slice(0, 8)}`;
}

/**
 * VLANs from 1 to 4094, by names: as with subnets, two names that fall on the same one are told apart by the alphabet. All hosts
 * work them out from the same names.
 */
export function vlansOf(networks: readonly string[]): ReadonlyMap<string, number> {
  const all = Cidr.at(0n, 20);
  const reserved = [all.subnet(32, 0), all.subnet(32, 4095)];
  const { byKey } = assignBlocks(
    all,
    networks.map((key) => ({ key, prefix: 32 })),
    reserved,
  );
  return new Map([...byKey].map(([name, { first }]) => [name, Number(first)]));
}

export function hostNetworks({ networks, places }: NetworkRanges, place: string): HostNetwork[] {
  const vlans = vlansOf(networks.map(({ name }) => name));
  return networks.map(({ name, subnet, internal }) => {
    const range = rangeOf(subnet, place, places);
    const vlan = vlans.get(name);
    if (vlan === undefined) throw new Error(`there are more networks than the 4094 VLANs of Open vSwitch: none is left for ${name}`);
    return {
      name,
      subnet,
      internal,
      vlan,
      range,
      gateway: `${range.address(1)}/${subnet.slice(subnet.indexOf("/") + 1)}`,
      parent: linkName("parent", name),
      port: linkName("port", name),
      gate: linkName("gate", name),
      gatePort: linkName("gatePort", name),
    };
  });
}

/** Of two hosts, both work out the same number. No number of VXLAN has more than 24 bits: these have 22 with 1024 places. */
export function tunnelLinks(own: PlacedHost, others: readonly PlacedHost[]): TunnelLink[] {
  return others.map(({ address, place }) => ({
    link: `ovx-${place}`,
    number: Math.min(own.place, place) * 4096 + Math.max(own.place, place) + 1,
    remote: address,
    port: place + 1,
  }));
}

/** As `bridge.sh` reads them. */
export function networksFile(networks: readonly HostNetwork[]): string {
  return networks
    .map(({ name, parent, port, gate, gatePort, vlan, internal, gateway, range, subnet }) =>
      [name, parent, port, gate, gatePort, vlan, internal ? "-" : gateway, range, subnet].join(" "),
    )
    .join("\n");
}

export function tunnelsFile(tunnels: readonly TunnelLink[]): string {
  return tunnels.map(({ link, number, remote, port }) => [link, number, remote, port].join(" ")).join("\n");
}

/** As `openvswitch.sh` gives them to Docker. */
export function dockerFile(networks: readonly HostNetwork[]): string {
  return networks
    .map(({ name, subnet, range, parent, internal }) =>
      [name, hostNetworkOf(name), [subnet, range, range.address(1), parent].join(","), internal].join(" "),
    )
    .join("\n");
}
