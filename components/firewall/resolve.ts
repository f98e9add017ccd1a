import { AnyCidr, isAnyCidr, normalised } from "../network/any-cidr";
import type { FirewallHost, FirewallRule, HostSelector, Source } from "./rule";

/** Whom a rule lets in on one host, in addresses. */
export interface Resolved {
  /** Networks, on whatever interface but the tunnel; a network of prefix 0 on every interface. */
  readonly networks: readonly AnyCidr[];
  /** Hosts of the cluster, on any interface but the tunnel and those of containers, which could forge these addresses. */
  readonly hosts: readonly AnyCidr[];
  /** Hosts of the cluster by their addresses in the tunnel, on the tunnel only. */
  readonly tunnel: readonly AnyCidr[];
}

export function isHostSelector(source: Source): source is HostSelector {
  return source === "members" || source === "managers" || source === "workers" || source.startsWith("group ");
}

export function selects(selector: HostSelector, host: Pick<FirewallHost, "role" | "group">): boolean {
  switch (selector) {
    case "members":
      return true;
    case "managers":
      return host.role === "manager";
    case "workers":
      return host.role === "worker";
    default:
      return host.group === selector.slice("group ".length);
  }
}

/** The one place that says with which addresses a rule's sources come to a host. */
export function resolve(rule: FirewallRule, host: FirewallHost, all: readonly FirewallHost[]): Resolved {
  const peers = all.filter((peer) => peer.key !== host.key && rule.from.some((source) => isHostSelector(source) && selects(source, peer)));
  const tunnel = peers.flatMap(({ tunnelAddress }) => (tunnelAddress === undefined ? [] : [AnyCidr.host(tunnelAddress)]));
  if (rule.over === "tunnel") return { networks: [], hosts: [], tunnel: normalised(tunnel) };
  const addresses = peers.map((peer) => addressSeenFrom(host, peer));
  const open = rule.unknownAddress === "open" && addresses.includes(undefined);
  const networks = rule.from.flatMap((source) => networksOf(source));
  return {
    networks: normalised(open ? [...networks, ...AnyCidr.world] : networks),
    hosts: normalised(addresses.flatMap((address) => (address === undefined ? [] : [AnyCidr.host(address)]))),
    tunnel: normalised(tunnel),
  };
}

/** With which address a host sees another one that calls it, outside the tunnel. */
function addressSeenFrom(host: FirewallHost, peer: FirewallHost): string | undefined {
  return peer.site === host.site ? peer.address : (peer.seenAs ?? peer.publicAddress);
}

function networksOf(source: Source): readonly AnyCidr[] {
  if (source === "world") return AnyCidr.world;
  if (isHostSelector(source)) return [];
  const parsed = AnyCidr.parse(source);
  if (!isAnyCidr(parsed)) throw new Error(`"${source}" is no source of a checked plan`);
  return [parsed];
}
