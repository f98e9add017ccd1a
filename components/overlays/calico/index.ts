import type { Overlay } from "../overlay";
import { readOverlay } from "../read";
import { type CalicoArgs, calicoOptions } from "./args";
import { passwordProblem, passwordsOf } from "./peers/passwords";
import { planCalico } from "./plan";

export type { CalicoArgs } from "./args";
export type { CalicoPeerArgs } from "./peers/args";

/**
 * Networking as Calico does it: each host has its own subnet and announces it to the others by BGP, with BIRD. Within a site,
 * containers' packets travel as they are, with the containers' own addresses and nothing wrapped around them. Networks are apart: a
 * container reaches those of its own network on all hosts, and none of another one.
 *
 * A service's name resolves to the addresses of its tasks: there is no virtual address. Ports are published by the ingress mesh, not by
 * `mode=host`. A network has a slice of each host's subnet, and holds as many containers on a host as the slice has addresses.
 *
 * It does not encrypt: more than one site needs `wireguard()`. The hosts of a site must be neighbours, on a network that carries
 * containers' addresses. Most clouds' networks do not: there, too, take `wireguard()`.
 *
 * @example
 * new SwarmCluster("prod", { overlay: calico(), hosts, networks: { web: {} }, firewall: { ssh: ["203.0.113.0/24"] } });
 */
export function calico(args: CalicoArgs = {}): Overlay {
  return readOverlay("calico", args, calicoOptions, planCalico, ({ peers }) => ({ values: passwordsOf(peers), problem: passwordProblem }));
}
