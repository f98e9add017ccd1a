import type { SwarmRequestHost } from "../agents/request";
import { hoursOf } from "../membership/options";
import type { Planned, PlannedHost } from "./seen";
import type { Target } from "./source/target";

/** What the last `up` asked for, without its secrets. */
export function plannedOf({ request, networks }: Target): Planned | undefined {
  if (!request) return undefined;
  const { overlay, underlayMtu, tunnel, firewall, swarm, needs } = request;
  return {
    overlay: overlay.kind,
    underlay: tunnel ? "wireguard" : "direct",
    underlayMtu,
    encrypted: needs.features.includes("ipsec"),
    ...(tunnel && { tunnel: { interface: tunnel.interface, port: tunnel.port } }),
    ...(firewall && { rules: firewall.rules }),
    networks,
    ...(swarm.certificateExpiry !== undefined && { certificateHours: hoursOf(swarm.certificateExpiry) }),
    ...(swarm.autolock !== undefined && { autolock: swarm.autolock }),
  };
}

export function plannedHostOf({ role, site, address, tunnelAddress, labels }: SwarmRequestHost): PlannedHost {
  return { role, site, address: tunnelAddress ?? address, siteAddress: address, labels };
}
