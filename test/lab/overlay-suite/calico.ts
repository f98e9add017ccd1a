import type { OverlayDescription } from "./description";

export const calico: OverlayDescription = {
  kind: "calico",
  images: [],
  first: {},
  mtu: { direct: 1500, wireguard: 1440 },
  port: "179",
  daemons: [],
  others: 0,
  upgrade: 0,
  internal: false,
  publishes: false,
  restarts: true,
  traces: /calico|cal-|clp-|bird|unreachable/,
};
