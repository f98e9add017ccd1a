import type * as pulumi from "@pulumi/pulumi";
import type { HostSelector } from "../../../firewall/rule";
import { flag, opaque, optional, options, required } from "../../../options";

/**
 * Your own router, to which hosts announce their containers. Each host announces its own containers with its own address as the way
 * there, and takes nothing from the router that is not asked for.
 */
export interface CalicoPeerArgs {
  /** IPv4 address of the router on the network by which its hosts reach each other: it must be their neighbour. Not one of the cluster's own. */
  readonly address: string;
  /** Number of the router's autonomous system, 1 to 4294967294. Not the cluster's own (`asNumber`): the session is always external. */
  readonly as: number;
  /**
   * Both ends sign each packet of the session with it (TCP MD5, RFC 2385). Up to 80 printable characters without spaces and double quotes.
   * A secret.
   * @default - packets are not signed, and the preview warns
   */
  readonly password?: pulumi.Input<string>;
  /**
   * Hosts that have a session with it: `"members"`, `"managers"`, `"workers"` or `"group rack"`. Containers on other hosts are not announced.
   * @default "members"
   */
  readonly on?: HostSelector;
  /**
   * Networks of the cluster, by their names, whose containers are announced. An empty list announces nothing, if something is accepted.
   * @default - each host's whole subnet: all networks
   */
  readonly announce?: readonly string[];
  /**
   * What hosts take from the router: `"nothing"`, `"default"` for a default route, or a list of IPv4 networks in CIDR form (and of their parts),
   * in which `"default"` may stand too. Never the cluster's own subnets, or the hosts' network.
   * @default "nothing"
   */
  readonly accept?: "nothing" | "default" | readonly string[];
  /** Both ends notice within two seconds that the other one is silent (BFD). The router must be set to do so too. @default false */
  readonly bfd?: boolean;
}

export const peerOptions = options<CalicoPeerArgs>(
  {
    of: "a router",
    thing: "a router",
    example: '{ address: "10.0.0.1", as: 65010, password }',
    others: {
      ...{ ip: "address", neighbor: "address", neighbour: "address", host: "address", asn: "as", asNumber: "as", remoteAs: "as", peerAs: "as" },
      ...{ secret: "password", md5: "password", key: "password", hosts: "on", nodes: "on", from: "on" },
      ...{ networks: "announce", announces: "announce", advertise: "announce", export: "announce", accepts: "accept", import: "accept" },
    },
  },
  // What is wrong with a password is said without it.
  { address: required, as: required, password: opaque, on: optional, announce: optional, accept: optional, bfd: flag },
);
