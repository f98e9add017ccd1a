/** A host as the mesh sees it. */
export interface MeshHost {
  readonly key: string;
  readonly site: string;
  /** Address within its site. */
  readonly address: string;
  /** Address that other sites use to reach it. @default - none: it is behind network address translation */
  readonly publicAddress?: string;
  /** Address in the tunnel, without a prefix. */
  readonly tunnelAddress: string;
  /** A network whose packets it sends and gets in the tunnel, beside its own address, in CIDR form. @default - none */
  readonly carries?: string;
}

/** Another host, as one host is told of it. */
export interface PlannedPeer {
  readonly key: string;
  readonly tunnelAddress: string;
  /** A network behind it, in CIDR form. @default - none */
  readonly carries?: string;
  /** Where it is reached, as `address:port`. @default - unknown: it calls first, and its address is learned from that */
  readonly endpoint?: string;
  /** Seconds between packets that keep address translation open. 0 is none. */
  readonly keepalive: number;
}

export interface MeshProblem {
  readonly path?: string;
  readonly message: string;
  readonly fix: string;
}

/** For each host its peers, sorted by key: the private address within a site, the public one across. */
export function planPeers(
  hosts: readonly MeshHost[],
  options: { readonly port: number; readonly keepalive?: number },
): ReadonlyMap<string, readonly PlannedPeer[]> {
  const { port, keepalive = 25 } = options;
  const sorted = [...hosts].sort((a, b) => compare(a.key, b.key));
  const peerOf = (host: MeshHost, peer: MeshHost): PlannedPeer => {
    const address = host.site === peer.site ? peer.address : peer.publicAddress;
    // The translation in front of the host forgets; the peer could not call it again.
    const hidden = host.site !== peer.site && host.publicAddress === undefined;
    return {
      key: peer.key,
      tunnelAddress: peer.tunnelAddress,
      ...(peer.carries !== undefined && { carries: peer.carries }),
      ...(address !== undefined && { endpoint: endpointOf(address, port) }),
      keepalive: hidden ? keepalive : 0,
    };
  };
  return new Map(sorted.map((host) => [host.key, sorted.filter((peer) => peer.key !== host.key).map((peer) => peerOf(host, peer))]));
}

/**
 * Hosts that could never meet: of two in different sites, one must have an address for the other to call. Needs no
 * address but the knowledge whether there is a public one, so it can be asked during preview.
 */
export function meshProblems(
  hosts: readonly { readonly key: string; readonly site: string; readonly publicAddress?: unknown }[],
  path?: string,
): MeshProblem[] {
  const hidden = new Map<string, string[]>();
  for (const { key, site, publicAddress } of hosts) {
    if (publicAddress === undefined) hidden.set(site, [...(hidden.get(site) ?? []), key]);
  }
  const sites = [...hidden].map(([site, keys]) => ({ site, keys: keys.sort(compare) })).sort((a, b) => compare(a.site, b.site));
  return sites.flatMap((one, index) =>
    sites.slice(index + 1).map((other) => ({
      ...(path !== undefined && { path }),
      message:
        `${names(one.keys)} in site ${one.site} and ${names(other.keys)} in site ${other.site} cannot meet: ` +
        "neither side has a publicAddress that the other could call",
      fix: `give every host of ${one.site} or every host of ${other.site} a publicAddress, or put them all into one site if they do reach each other`,
    })),
  );
}

/** A peer with the keys that it has just now. */
export interface PeerKeys {
  readonly publicKey: string;
  /** The key that it will switch to: known to the others beforehand, so that the switch costs no packet more than it must. */
  readonly nextPublicKey?: string;
}

/**
 * The peers' part of a WireGuard configuration. Peers without a key are left out. Every line is always written: what
 * is left out would keep its old value in a tunnel that runs.
 */
export function peersConf(peers: readonly PlannedPeer[], keys: Readonly<Record<string, PeerKeys>>): string {
  const sections = [...peers]
    .sort((a, b) => compare(a.key, b.key))
    .flatMap((peer) => {
      const known = keys[peer.key];
      if (known === undefined) return [];
      const current = section(peer, known.publicKey, true);
      return known.nextPublicKey === undefined ? [current] : [current, section(peer, known.nextPublicKey, false)];
    });
  return sections.join("\n");
}

/** An address can belong to one key only: the next key has none until the peer has switched to it. */
function section(peer: PlannedPeer, publicKey: string, current: boolean): string {
  const lines = [`# ${peer.key}${current ? "" : ", its next key"}`, "[Peer]", `PublicKey = ${publicKey}`];
  if (current) lines.push(`AllowedIPs = ${[`${peer.tunnelAddress}/32`, ...(peer.carries === undefined ? [] : [peer.carries])].join(",")}`);
  if (peer.endpoint !== undefined) lines.push(`Endpoint = ${peer.endpoint}`);
  lines.push(`PersistentKeepalive = ${current ? peer.keepalive : 0}`);
  return `${lines.join("\n")}\n`;
}

function endpointOf(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function names(keys: readonly string[]): string {
  const shown = keys.slice(0, 5).join(", ");
  return keys.length > 5 ? `${shown} and ${keys.length - 5} more` : shown;
}

/** Not by the machine's language: the text that comes out must be the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
