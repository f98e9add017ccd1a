import { sessionOptions } from "../session";
import type { HostPeer } from "./on-host";

/** The file beside the configuration that has the routers' passwords, each in a template, and nothing else. */
export const keysFile = "peers.conf";

/**
 * How long a BIRD that starts waits for those that it does not hear of, before it tells the kernel of what it has heard. A router may be off
 * for longer than BIRD's usual four minutes, and other hosts' containers are not to wait for it.
 */
const waitSeconds = 15;

/** The parts of BIRD's configuration that routers outside the cluster add. All are empty where a host has none. */
export interface PeersConfig {
  readonly head: readonly string[];
  readonly announced: readonly string[];
  /** A set of networks to which the kernel is told the way; undefined for none. */
  readonly accepted: string | undefined;
  readonly protocols: readonly string[];
  readonly bfd: boolean;
}

/** @param never Networks in CIDR form to which no router knows the way */
export function peersConfig(peers: readonly HostPeer[], never: readonly string[], asNumber: number): PeersConfig {
  if (peers.length === 0) return { head: [], announced: [], accepted: undefined, protocols: [], bfd: false };
  const parts = unique(peers.flatMap(({ announce = [] }) => announce));
  const accepted = unique(peers.flatMap(({ accept }) => accept));
  return {
    head: [`graceful restart wait ${waitSeconds};`, ...(peers.some(({ signed }) => signed) ? [`include "${keysFile}";`] : [])],
    announced: parts.length === 0 ? [] : [`protocol static announced { ipv4; ${parts.map((part) => `route ${part} unreachable;`).join(" ")} }`],
    accepted: accepted.length === 0 ? undefined : networks(accepted),
    protocols: [...peers].sort((one, other) => (one.name < other.name ? -1 : 1)).map((peer) => sessionText(peer, never, asNumber)),
    bfd: peers.some(({ bfd }) => bfd),
  };
}

/**
 * A router hears of what is this host's own, never of what the host has heard of others. Of what it says, the cluster's own networks are
 * dropped before anything else is looked at.
 */
function sessionText(peer: HostPeer, never: readonly string[], asNumber: number): string {
  const { name, local, address, as, signed, bfd, announce, accept } = peer;
  const own = announce === undefined ? "net = OWN" : `net ~ [ ${announce.join(", ")} ]`;
  return [
    `protocol bgp 'peer:${name}'${signed ? ` from 'key:${name}'` : ""} {`,
    `  local ${local} as ${asNumber};`,
    `  neighbor ${address} as ${as};`,
    ...sessionOptions(bfd),
    "  ipv4 {",
    accept.length === 0
      ? "    import none;"
      : `    import filter { if net ~ [ ${never.map((network) => `${network}+`).join(", ")} ] then reject; if net ~ ${networks(accept)} then accept; reject; };`,
    announce?.length === 0 ? "    export none;" : `    export filter { if source = RTS_STATIC && ${own} then accept; reject; };`,
    "  };",
    "}",
  ].join("\n");
}

/** A set of prefixes. The default route is itself alone; of other networks, parts are in it too. */
function networks(all: readonly string[]): string {
  return `[ ${all.map((network) => (network === "0.0.0.0/0" ? network : `${network}+`)).join(", ")} ]`;
}

function unique(all: readonly string[]): string[] {
  return [...new Set(all)].sort();
}
