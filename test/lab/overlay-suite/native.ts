import type { OverlayDescription } from "./description";

/** Docker's own overlay. The lab's kernel has no IPsec: what is encrypted is tested in test/kernel. */
export const native: OverlayDescription = {
  kind: "native",
  images: [],
  first: {},
  mtu: { direct: 1450, wireguard: 1390 },
  port: "4789",
  daemons: [],
  others: 0,
  upgrade: 0,
  internal: true,
  services: "dnsrr",
  publishes: true,
  restarts: true,
};
