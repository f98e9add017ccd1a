/** Hosts of the cluster, as a rule names them. */
export type HostSelector = "members" | "managers" | "workers" | `group ${string}`;

/** Who may connect: hosts of the cluster, an IPv4 or IPv6 network in CIDR form, or everybody. */
export type Source = HostSelector | "world" | (string & {});

/**
 * One thing that is let through. Everything that no rule names is dropped. The same list becomes the cloud's firewall and
 * each host's own, and its length does not depend on the number of hosts.
 */
export interface FirewallRule {
  /** Unique; a user's rule of the same name takes the place of a built-in one. */
  readonly name: string;
  /** `icmp` is ICMP and ICMPv6: echo requests only, since what path MTU discovery needs is always let through. */
  readonly protocol: "tcp" | "udp" | "esp" | "icmp";
  /** Single ports and ranges: `443`, `30000-30100`. Empty for protocols without ports. */
  readonly ports: readonly string[];
  /** Who may connect. */
  readonly from: readonly Source[];
  /** Hosts on which it is open. */
  readonly to: HostSelector;
  /** What it arrives on: the site's own network, or the encrypted tunnel between the hosts and nothing else. */
  readonly over: "site" | "tunnel";
  /** Who answers: the host itself, or a container through a port that Docker publishes (by the host or by the ingress mesh). */
  readonly answers: "host" | "container";
  /** Why, for the person who reads the preview. */
  readonly reason: string;
  /**
   * What to do about a host among `from` when nobody knows with which address it comes: it is on another site, behind
   * network address translation. `open` lets everybody in on the hosts that such a one calls; only for what answers nobody
   * without a key, as WireGuard does.
   * @default "closed"
   */
  readonly unknownAddress?: "closed" | "open";
}

/** For rules of whole protocols. */
export const everyPort = "1-65535";

/** A host as a firewall sees it, when all addresses are known. */
export interface FirewallHost {
  readonly key: string;
  readonly role: "manager" | "worker";
  readonly group: string;
  readonly site: string;
  /** Address within its site. */
  readonly address: string;
  /** Address on which other sites reach it. @default - none: it is behind network address translation */
  readonly publicAddress?: string;
  /** Address in the encrypted tunnel. @default - there is no tunnel */
  readonly tunnelAddress?: string;
  /** Address with which other sites see it when it calls them. @default - its public address, or not known */
  readonly seenAs?: string;
}
