/** Hosts of the cluster, in the words of a rule. */
export type HostSelector = "members" | "managers" | "workers" | `group ${string}`;

/** Who may connect: hosts of the cluster, an IPv4 or IPv6 network in CIDR form, or everybody. */
export type Source = HostSelector | "world" | (string & {});

/**
 * One allowed kind of traffic. All other traffic is dropped. The same list becomes the cloud's firewall and each host's own. Its
 * length does not depend on the number of hosts.
 */
export interface FirewallRule {
  /** Unique. A user's rule with the same name replaces a built-in one. */
  readonly name: string;
  /** `icmp` is ICMP and ICMPv6, and only echo requests: what path MTU discovery needs is always allowed. */
  readonly protocol: "tcp" | "udp" | "esp" | "icmp";
  /** Single ports and ranges: `443`, `30000-30100`. Empty for protocols without ports. */
  readonly ports: readonly string[];
  /** Who may connect. */
  readonly from: readonly Source[];
  /** Hosts on which it is open. */
  readonly to: HostSelector;
  /** Where the traffic arrives: on the site's own network, or only in the encrypted tunnel between the hosts. */
  readonly over: "site" | "tunnel";
  /** Who answers: the host itself, or a container through a port that Docker publishes (on the host or by the ingress mesh). */
  readonly answers: "host" | "container";
  /** Why, for the person who reads the preview. */
  readonly reason: string;
  /**
   * What to do if the address of a host in `from` is not known, because it is on another site behind network address translation.
   * `open` allows everybody on the hosts that such a host calls. Use it only for services that answer nobody without a key, like
   * WireGuard.
   * @default "closed"
   */
  readonly unknownAddress?: "closed" | "open";
  /**
   * Who begins a connection: those in `from`, or also the hosts, which call them at the same ports. Hosts may call whom they like in any case, except
   * at ports that are for the tunnel.
   * @default "sources"
   */
  readonly begins?: "sources" | "either";
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
  /** Address that other sites use to reach it. @default - none: it is behind network address translation */
  readonly publicAddress?: string;
  /** Address in the encrypted tunnel. @default - there is no tunnel */
  readonly tunnelAddress?: string;
  /** Address that other sites see when it calls them. @default - its public address, or not known */
  readonly seenAs?: string;
}
