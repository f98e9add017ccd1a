import type { OverlayDescription } from "./description";

export const openvswitch: OverlayDescription = {
  kind: "openvswitch",
  // Open vSwitch is a package of the host's distribution.
  images: [],
  first: {},
  mtu: { direct: 1446, wireguard: 1386 },
  port: "4790",
  // In the lab the program forwards, for the kernel cannot. Tunnels are the kernel's: nothing of the program listens.
  daemons: [
    { program: "ovs-vswitchd", unit: "ovs-vswitchd", on: "all", listens: "on its host's addresses", killed: 10, finding: "openvswitch-stopped" },
  ],
  others: 0,
  upgrade: 0,
  internal: true,
  services: "as usual",
  publishes: false,
  restarts: true,
  // The package stays, with its units and what it keeps in /run.
  traces: /(?<!^in (\/run|\/etc\/systemd\/system): )openvswitch|^in .*: ovs-vswitchd|ov[pbghx]-|ovs-swarm/,
};
