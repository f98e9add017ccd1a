import { isHostSelector } from "../firewall/resolve";
import type { Source } from "../firewall/rule";
import { AnyCidr, isAnyCidr } from "../addresses/any-cidr";

/** Who may connect to containers of some networks. All others may not: networks are apart. */
export interface NetworkPolicy {
  /** As the user calls it. Unique. */
  readonly name: string;
  /** Networks of the cluster by name, hosts of the cluster, IPv4 networks in CIDR form, or `world`. */
  readonly from: readonly Source[];
  /** Networks of the cluster whose containers accept it. */
  readonly to: readonly string[];
  /** Protocol of the ports. */
  readonly protocol: "tcp" | "udp";
  /** Ports of the containers, single ones and ranges: `443`, `30000-30100`. */
  readonly ports: readonly string[];
}

/** Whether a source is not among the cluster's networks: hosts of the cluster, and everything else that has addresses of its own. */
export function isOutside(source: Source): boolean {
  return source === "world" || isHostSelector(source) || isAnyCidr(AnyCidr.parse(source));
}
