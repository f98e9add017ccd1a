import type { Overlay } from "../overlay";
import { readOverlay } from "../read";
import { weaveOptions, type WeaveArgs } from "./args";
import { planWeave } from "./plan";

export type { WeaveArgs } from "./args";

/**
 * Weave Net: a router on each host connects to all other routers. Together they act as one switch for all containers. The routers
 * learn automatically where each container is, encrypt with a password unless the underlay encrypts, and need only one TCP and two
 * UDP ports.
 *
 * Clients find services only by DNS (`docker service create --endpoint-mode dnsrr`). Services publish on the host's own port
 * (`mode=host`): there are no virtual addresses and no ingress mesh. All networks share one switch. Only a container's addresses
 * separate them, so give no container the right to change these (`NET_ADMIN`).
 *
 * Weave Net is no longer developed: the last release is from 2021, and the repository is archived.
 *
 * @example
 * new SwarmCluster("prod", { overlay: weave(), hosts, firewall: { ssh: ["203.0.113.0/24"] } });
 */
export function weave(args: WeaveArgs = {}): Overlay {
  return readOverlay("weave", args, weaveOptions, planWeave);
}
