import { selects } from "../../../firewall/resolve";
import type { FirewallHost, HostSelector } from "../../../firewall/rule";

/** What the agent is told of routers outside the cluster. No secrets: their passwords come by another way. */
export interface CalicoPeers {
  /** Networks in CIDR form that no router may draw to itself: the cluster's own. */
  readonly never: readonly string[];
  readonly routers: readonly CalicoPeer[];
}

export interface CalicoPeer {
  readonly name: string;
  readonly address: string;
  readonly as: number;
  readonly on: HostSelector;
  /** Parts of each host's subnet, relative to it. @default - the whole of it */
  readonly announce?: readonly string[];
  /** In CIDR form. */
  readonly accept: readonly string[];
  /** There is a password. */
  readonly signed: boolean;
  readonly bfd: boolean;
}

export function peersOn({ routers }: CalicoPeers, host: Pick<FirewallHost, "role" | "group">): readonly CalicoPeer[] {
  return routers.filter(({ on }) => selects(on, host));
}
