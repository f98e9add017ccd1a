import { Cidr, isCidr } from "../../../addresses/cidr";
import type { OverlayHost } from "../../agent";
import { subnetOf } from "../../hosts";
import { type CalicoPeer, type CalicoPeers, peersOn } from "./settings";

/** A router as one host has a session with it. */
export interface HostPeer extends Omit<CalicoPeer, "on" | "announce"> {
  /** The host's own address on the way there. */
  readonly local: string;
  /** In CIDR form. @default - the host's subnet */
  readonly announce?: readonly string[];
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
