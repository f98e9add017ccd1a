import { createHash } from "node:crypto";
import type { OverlayHost } from "../agent";

type Addresses = Pick<OverlayHost, "site" | "address" | "publicAddress" | "tunnelAddress">;

/**
 * Where a host's router is reached: in the tunnel where there is one, within its site, or from another site.
 *
 * @param from who asks. @default - the host itself
 */
export function nodeAddress(host: Addresses, from: Addresses = host): string {
  if (host.tunnelAddress !== undefined) return host.tunnelAddress;
  return host.site === from.site ? host.address : (host.publicAddress ?? host.address);
}

/**
 * Name of a host's router, which is also the hardware address of its bridge: locally administered, of one station. The same host
 * has the same one for ever, whatever its place or address.
 */
export function peerName(cluster: string, key: string): string {
  const hash = createHash("sha256").update(`${cluster}\0${key}`).digest();
  return ["02", ...[...hash.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}
