import type { HostSelector } from "../firewall/rule";
import { list, opaque, optional, options, required } from "../options";
import type { ProgramImageArgs } from "../programs/args";

/** Hosts that a gateway may run on: those of a rule's selector, one host by its key, or those of one site. */
export type GatewayHosts = HostSelector | `host ${string}` | `site ${string}`;

/**
 * Something outside the swarm that containers reach by the gateway's name, wherever they run: a database in a rack, a machine behind a
 * VPN of one host. A small service of the swarm forwards TCP connections to it, through hosts that can reach it.
 */
export interface GatewayArgs {
  /**
   * What is reached: an IPv4 address, or a DNS name that Docker's resolver asks the hosts' resolver for. Not in the cluster's address
   * space: services are found by their own names.
   */
  readonly to: string;
  /** The TCP port at which containers reach it under the gateway's name. One port: for several, make a gateway for each. */
  readonly port: number;
  /** The port of what is reached. @default - the same as `port` */
  readonly targetPort?: number;
  /**
   * Hosts that can reach it: `"group rack"`, `"host rack-1"`, `"site rack"`, or `"workers"`, `"managers"` or `"members"`. Two of them run the
   * gateway, or the only one there is. If one is off, the other serves; a third one takes its place if there is one.
   */
  readonly on: GatewayHosts;
  /** Networks of the cluster whose containers reach it. Not empty, and at least one without `internal`. */
  readonly networks: readonly string[];
  /** Anything else is refused. @default "tcp" */
  readonly protocol?: "tcp";
  /**
   * Where HAProxy comes from, which forwards the connections. Hosts pull its image as they do those of services.
   * @default - docker.io/library/haproxy:3.0.11, or the mirror's copy of it
   */
  readonly program?: ProgramImageArgs;
}

export const gatewayOptions = options<GatewayArgs>(
  {
    of: "a gateway",
    thing: "a gateway",
    example: '{ to: "192.168.7.20", port: 1521, on: "group rack", networks: ["web"] }',
    others: {
      ...{ address: "to", target: "to", destination: "to", listen: "port", ports: "port", published: "port", toPort: "targetPort" },
      ...{ hosts: "on", through: "on", via: "on", from: "networks", network: "networks", image: "program", version: "program", proxy: "program" },
    },
  },
  { to: required, port: required, targetPort: optional, on: required, networks: list, protocol: optional, program: opaque },
);
