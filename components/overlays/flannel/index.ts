import type { Overlay } from "../overlay";
import { readOverlay } from "../read";
import { flannelOptions, type FlannelArgs } from "./args";
import { planFlannel } from "./plan";

export type { EtcdArgs, FlannelArgs } from "./args";

/**
 * flannel: each host has its own subnet, which etcd records, and routes lead to it. Containers' packets travel as ordinary IP, with
 * the containers' own addresses. The host's routing table shows the routes.
 *
 * A service's name resolves to the addresses of its tasks: there is no virtual address. Ports are published by the ingress mesh, not by
 * `mode=host`. A network has a slice of each host's subnet, and holds as many containers on a host as the slice has addresses.
 *
 * It does not encrypt: more than one site needs `wireguard()`.
 *
 * @example
 * new SwarmCluster("prod", { overlay: flannel(), hosts, networks: { web: {} }, firewall: { ssh: ["203.0.113.0/24"] } });
 */
export function flannel(args: FlannelArgs = {}): Overlay {
  return readOverlay("flannel", args, flannelOptions, planFlannel);
}
