import type { Port } from "../firewall/args";
import type { Source } from "../firewall/rule";
import { options, optional, required } from "../options";

/** Who may connect to containers of a network, beside those of the network itself. */
export interface NetworkPolicyArgs {
  /**
   * Who may connect: networks of the cluster by their names, hosts of the cluster ("members", "managers", "workers", "group NAME"), IPv4
   * networks in CIDR form, or "world" for everybody outside. Not empty. Containers count by their network alone, never by an address:
   * "world" and a CIDR are no containers of the cluster's networks.
   */
  readonly from: readonly Source[];
  /** Networks of the cluster, by their names, whose containers accept it. Not empty. */
  readonly to: readonly string[];
  /** The container's port. It can also be a range such as "30000-30100", or a list of both. */
  readonly port: Port | readonly Port[];
  /** Protocol of the ports. @default "tcp" */
  readonly protocol?: "tcp" | "udp";
}

export const networkPolicyOptions = options<NetworkPolicyArgs>(
  {
    of: "a policy",
    thing: "a policy",
    example: '{ from: ["web"], to: ["db"], port: 5432 }',
    others: { ports: "port", source: "from", sources: "from", cidr: "from", on: "to", network: "to", networks: "to", target: "to", targets: "to" },
  },
  { from: required, to: required, port: required, protocol: optional },
);
