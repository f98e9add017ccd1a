import type { Overlay } from "../overlay";
import { readOverlay } from "../read";
import { type OpenvswitchArgs, openvswitchOptions } from "./args";
import { planOpenvswitch } from "./plan";

export type { OpenvswitchArgs } from "./args";
export type { OpenvswitchTrunkArgs } from "./trunks/args";

/**
 * Open vSwitch: a bridge on each host, tunnels between all of them, and a VLAN for each network. Together they act as one switch. A host
 * has an address in each network, and its containers go out by it.
 *
 * Hosts get Open vSwitch from their distribution. Where the kernel has no Open vSwitch (module `openvswitch`), a program forwards each
 * packet instead, which is slower: `up` warns.
 *
 * A service's name resolves to the addresses of its tasks: there is no virtual address. Ports are published by the ingress mesh, not by
 * `mode=host`. A network holds as many containers on a host as the host's part of it has addresses.
 *
 * It does not encrypt: more than one site needs `wireguard()`.
 *
 * @example
 * new SwarmCluster("prod", { overlay: openvswitch(), hosts, networks: { web: {} }, firewall: { ssh: ["203.0.113.0/24"] } });
 */
export function openvswitch(args: OpenvswitchArgs = {}): Overlay {
  return readOverlay("openvswitch", args, openvswitchOptions, planOpenvswitch);
}
