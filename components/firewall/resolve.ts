import { AnyCidr, isAnyCidr, normalised } from "../addresses/any-cidr";
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

export function selects(selector: HostSelector, host: { readonly role: FirewallHost["role"]; readonly group?: string }): boolean {
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

/** A host as far as it decides with which address it comes to others. Which addresses these are does not matter. */
export interface AddressedHost {
  readonly key: string;
  readonly role: "manager" | "worker";
  readonly group?: string;
  readonly site: string;
  readonly publicAddress?: unknown;
  readonly seenAs?: unknown;
}

/** Hosts on which a rule lets in everybody, since nobody knows with which address some of those come there whom it is for. */
export interface OpenToAny {
  readonly on: readonly string[];
  /** Sites of these hosts. */
  readonly sites: readonly string[];
  /** Those of whom nobody knows the address. */
  readonly because: readonly string[];
}

/** Which hosts `unknownAddress: "open"` opens to everybody: the same that `resolve` opens, asked before any address is known. */
export function openToAnyAddress(
  { from, to, over, unknownAddress }: Pick<FirewallRule, "from" | "to" | "over" | "unknownAddress">,
  hosts: readonly AddressedHost[],
): OpenToAny {
  if (unknownAddress !== "open" || over === "tunnel") return { on: [], sites: [], because: [] };
  const hidden = hosts.filter(
    (host) => host.publicAddress === undefined && host.seenAs === undefined && from.some((source) => isHostSelector(source) && selects(source, host)),
  );
  const behind = new Set(hidden.map(({ site }) => site));
  const on = hosts.filter((host) => selects(to, host) && (behind.size > 1 || (behind.size === 1 && !behind.has(host.site))));
  const sites = [...new Set(on.map(({ site }) => site))].sort();
  const because = hidden.filter(({ site }) => sites.some((other) => other !== site));
  return { on: on.map(({ key }) => key), sites, because: because.map(({ key }) => key) };
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
