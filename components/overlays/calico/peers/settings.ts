import { Cidr, isCidr } from "../../../addresses/cidr";
import { selects } from "../../../firewall/resolve";
import type { FirewallHost, HostSelector } from "../../../firewall/rule";
import type { OverlayHost } from "../../agent";
import { subnetOf } from "../../hosts";

/** What the agent is told of routers outside the cluster. No secrets: their passwords come by another way. */
export interface CalicoPeers {
  /** Networks in CIDR form that no router may draw to itself: the cluster's own. */
  readonly never: readonly string[];
  readonly routers: readonly CalicoPeer[];
}

export interface CalicoPeer {
  readonly name: string;
  readonly address: string;
  readonly as: number;
  readonly on: HostSelector;
  /** Parts of each host's subnet, relative to it. @default - the whole of it */
  readonly announce?: readonly string[];
  /** In CIDR form. */
  readonly accept: readonly string[];
  /** There is a password. */
  readonly signed: boolean;
  readonly bfd: boolean;
}

/** A router as one host has a session with it. */
export interface HostPeer extends Omit<CalicoPeer, "on" | "announce"> {
  /** The host's own address on the way there. */
  readonly local: string;
  /** In CIDR form. @default - the host's subnet */
  readonly announce?: readonly string[];
}

export function peersOn({ routers }: CalicoPeers, host: Pick<FirewallHost, "role" | "group">): readonly CalicoPeer[] {
  return routers.filter(({ on }) => selects(on, host));
}

/** They are reached on the site's own network, also where hosts reach each other in a tunnel. */
export function hostPeers(peers: CalicoPeers, host: OverlayHost): readonly HostPeer[] {
  return peersOn(peers, host).map(({ on: _on, announce, ...peer }) => ({
    ...peer,
    local: host.address,
    ...(announce && { announce: announce.map((slice) => within(subnetOf(host), slice)) }),
  }));
}

function within(subnet: string, slice: string): string {
  const [host, part] = [Cidr.parse(subnet), Cidr.parse(slice)];
  if (!isCidr(host) || !isCidr(part)) throw new Error(`${slice} is no part of ${subnet}`);
  return Cidr.at(host.first + part.first, part.prefix).toString();
}
