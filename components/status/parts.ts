import type { PartContext, SeenPart, StatusPart } from "../health";
import { calicoStatus } from "../overlays/calico/status";
import { flannelStatus } from "../overlays/flannel/status";
import { openvswitchStatus } from "../overlays/openvswitch/status";
import { weaveStatus } from "../overlays/weave/status";
import { wireguardStatus } from "../underlay/wireguard/status";
import type { OverlayKind } from "../overlays/overlay";
import type { SwarmRequest } from "../agents/request";
import type { Planned } from "./seen";
import type { Situation } from "./situation";

/** What each overlay adds; the compiler asks for a line of a new one. Docker's own is looked at with the engines. */
const ofOverlay: { readonly [Kind in OverlayKind]: readonly StatusPart<never>[] } = {
  native: [],
  weave: [weaveStatus],
  flannel: [flannelStatus],
  calico: [calicoStatus],
  openvswitch: [openvswitchStatus],
};

/** Those of the cluster's underlay and overlay, what carries the others first. A state may be of a newer version that has other overlays. */
export function partsOf({ overlay, tunnel }: Pick<Planned, "overlay" | "tunnel">): readonly StatusPart<never>[] {
  return [...(tunnel ? [wireguardStatus] : []), ...(Object.hasOwn(ofOverlay, overlay) ? ofOverlay[overlay] : [])];
}

/** Of all overlays and underlays, for whoever lists them. */
export const allParts: readonly StatusPart<never>[] = [wireguardStatus, ...Object.values(ofOverlay).flat()];

export function contextOf({ hosts, tunnel }: SwarmRequest): PartContext {
  return {
    hosts: hosts.map(({ key, role, site, address, tunnelAddress }) => ({ key, role, site, address: tunnelAddress ?? address, siteAddress: address })),
    ...(tunnel && { tunnel: { interface: tunnel.interface, port: tunnel.port } }),
  };
}

/** The planned hosts with a part's answers. */
export function seenBy({ key }: StatusPart<never>, { hosts }: Situation): readonly SeenPart<never>[] {
  return hosts.flatMap(({ key: host, planned, parts, paths }) => {
    if (!planned) return [];
    const answer = parts?.[key];
    const silent = Object.entries(paths ?? {}).flatMap(([to, { sent, lost }]) => (lost === sent ? [to] : []));
    const { role, site, address, siteAddress } = planned;
    return [{ key: host, role, site, address, siteAddress, silent, ...(answer !== undefined && { answer: answer as never }) }];
  });
}
