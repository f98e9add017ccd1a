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
