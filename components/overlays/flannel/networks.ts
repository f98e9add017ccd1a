import { createHash } from "node:crypto";
import { Cidr, isCidr } from "../../addresses/cidr";
import type { NetworkSlice } from "../docker-network";
import { hostNetworkOf } from "../docker-network";
import { bridgeSlice } from "./args";

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

/** Interfaces have at most 15 letters, and networks' names more; the same name is the same on all hosts. */
export function linkName(kind: "bridge" | "parent" | "port", network: string): string {
  const prefix = { bridge: "fl-", parent: "flp-", port: "flb-" } as const;
  return `${prefix[kind]}${createHash("sha256").update(network).digest("hex").slice(0, 8)}`;
}

/** @param bridge Name of the host's own network; empty for none. */
export function hostNetworks(containerSubnet: string, slices: readonly NetworkSlice[], bridge: string): HostNetwork[] {
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
        bridge: linkName("bridge", `${kind} ${name}`),
        parent: linkName("parent", `${kind} ${name}`),
        port: linkName("port", `${kind} ${name}`),
        subnet: subnet.toString(),
        gateway: subnet.address(1),
        prefix: subnet.prefix,
        mask: Cidr.at(mask, 32).address(0),
        place: relative.address(0),
      },
    ];
  });
}

/** As `bridges.sh` reads them. */
export function networksFile(networks: readonly HostNetwork[]): string {
  return networks
    .map(({ kind, name, bridge, parent, port, gateway, prefix, mask, place }) =>
      [kind, name, bridge, parent, port, `${gateway}/${prefix}`, mask, place].join(" "),
    )
    .join("\n");
}

/** As `flannel.sh` gives them to Docker. */
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
