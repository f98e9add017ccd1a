import { createHash } from "node:crypto";
import { Cidr, isCidr } from "../../addresses/cidr";
import { versionNumbers } from "../../engine/version";
import type { NetworkSlice } from "../docker-network";
import { hostNetworkOf } from "../docker-network";

/** The slice that the host's own bridge has. */
export const bridgeSlice = "bridge";

/** A network as one host has it: a bridge with an address, and what Docker knows of it. */
export interface HostNetwork {
  /** `swarm` for one of the cluster's, `plain` for the host's own bridge network. */
  readonly kind: "swarm" | "plain";
  readonly name: string;
  /** Its name in Docker on the host. */
  readonly dockerName: string;
  readonly bridge: string;
  /** The end of the link on which the containers hang, and the end that is in the bridge. */
  readonly parent: string;
  readonly port: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly prefix: number;
  /** By which bits of an address its networks are told apart, and how they are in this one: the same on all hosts. */
  readonly mask: string;
  readonly place: string;
}

/** Engines from here on drop what is routed to a container, unless its network says otherwise. */
const firstWithGatewayMode = 28;

/** With which containers on the host's own bridge are reached from other hosts; empty where engines know no such thing. */
export function gatewayModeOf(engine: string): string {
  const major = versionNumbers(engine)?.[0] ?? firstWithGatewayMode;
  return major >= firstWithGatewayMode ? "nat-unprotected" : "";
}

/** Which overlay's it is, in the names of interfaces. */
export type LinkPrefix = "fl" | "cal";

/** Interfaces have at most 15 letters, and networks' names more; the same name is the same on all hosts. */
export function linkName(prefix: LinkPrefix, kind: "bridge" | "parent" | "port", network: string): string {
  const letter = { bridge: "", parent: "p", port: "b" } as const;
  return `${prefix}${letter[kind]}-${createHash("sha256").update(network).digest("hex").slice(0, 8)}`;
}

/** @param bridge Name of the host's own network; empty for none. */
export function hostNetworks(containerSubnet: string, slices: readonly NetworkSlice[], bridge: string, prefix: LinkPrefix): HostNetwork[] {
  const host = cidr(containerSubnet);
  return slices.flatMap(({ name: slice, slice: place }): HostNetwork[] => {
    const kind = slice === bridgeSlice && bridge !== "" ? "plain" : "swarm";
    const name = kind === "plain" ? bridge : slice;
    const relative = cidr(place);
    const subnet = Cidr.at(host.first + relative.first, relative.prefix);
    const mask = host.size - relative.size;
    return [
      {
        kind,
        name,
        dockerName: kind === "plain" ? bridge : hostNetworkOf(slice),
        bridge: linkName(prefix, "bridge", `${kind} ${name}`),
        parent: linkName(prefix, "parent", `${kind} ${name}`),
        port: linkName(prefix, "port", `${kind} ${name}`),
        subnet: subnet.toString(),
        gateway: subnet.address(1),
        prefix: subnet.prefix,
        mask: Cidr.at(mask, 32).address(0),
        place: relative.address(0),
      },
    ];
  });
}

/** As an overlay's `bridges.sh` reads them. */
export function networksFile(networks: readonly HostNetwork[]): string {
  return networks
    .map(({ kind, name, bridge, parent, port, gateway, prefix, mask, place }) =>
      [kind, name, bridge, parent, port, `${gateway}/${prefix}`, mask, place].join(" "),
    )
    .join("\n");
}

/** As `networks.sh` gives them to Docker. */
export function dockerFile(networks: readonly HostNetwork[]): string {
  return networks
    .map(({ kind, name, dockerName, subnet, gateway, parent, bridge }) =>
      [kind, name, dockerName, subnet, gateway, kind === "swarm" ? parent : bridge].join(" "),
    )
    .join("\n");
}

function cidr(text: string): Cidr {
  const parsed = Cidr.parse(text);
  if (!isCidr(parsed)) throw new Error(parsed.problem);
  return parsed;
}
