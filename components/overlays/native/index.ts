import type { Overlay } from "../overlay";

/** VXLAN over IPv4: outer Ethernet 14 is not counted, IP 20 + UDP 8 + VXLAN 8 + inner Ethernet 14. */
const vxlanOverhead = 50;

/** Docker's own overlay: VXLAN between the hosts, a virtual address and DNS for services. Data is not encrypted. */
export function native(): Overlay {
  return {
    kind: "native",
    plan: ({ sites, underlay }) => ({
      kind: "native",
      driver: "overlay",
      overhead: vxlanOverhead,
      // Docker takes the underlay's MTU here and subtracts the overhead itself.
      networkOptions: (underlayMtu) => ({ "com.docker.network.driver.mtu": String(underlayMtu) }),
      problems:
        sites.length > 1 && !underlay.encrypted
          ? [
              {
                path: "overlay",
                message: `the native overlay would carry container traffic in plaintext between the sites ${sites.join(" and ")}`,
                fix: "keep all hosts in one site until an encrypting underlay is there",
              },
            ]
          : [],
    }),
  };
}
