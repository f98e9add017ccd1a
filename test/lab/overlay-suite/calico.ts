import type { OverlayDescription } from "./description";

const file = "/etc/pulumi-swarm/calico/password.conf";

export const calico: OverlayDescription = {
  kind: "calico",
  // BIRD is a package of the host's distribution.
  images: [],
  first: {},
  mtu: { direct: 1500, wireguard: 1440 },
  port: "179",
  // Killed alone, nothing is lost. With a worker that reboots at the same moment, 0.8 s were seen once on a busy machine.
  daemons: [{ program: "bird", unit: "pulumi-swarm-calico", on: "all", listens: "on its host's addresses", killed: 2, finding: "bird-stopped" }],
  others: 0,
  upgrade: 0,
  internal: false,
  services: "dnsrr",
  publishes: false,
  restarts: true,
  secret: {
    print: `sed -n 's/.*password "\\(.*\\)";/\\1/p' ${file}`,
    inTunnel: true,
    perHost: "all the same",
    seen: /bird/,
    forged: {
      give: `sed -i 's/password "./password "!/' ${file}; systemctl restart pulumi-swarm-calico`,
      // Sessions end, and the routes with them once nobody waits for the host to come back.
      cutsOff: true,
      up: "makes it right",
    },
  },
  // The package's own user stays with the package.
  traces: /calico|CALICO|cal[pb]?-|proto bird|unreachable|bird\.service/,
};
