/** Bytes that WireGuard takes from every packet, by the version of IP between the endpoints: IP 20 or 40 + UDP 8 + its own 32. */
export const wireguardOverhead = { ipv4: 60, ipv6: 80 } as const;

/** VXLAN over IPv4: the outer Ethernet header is not counted; IP 20 + UDP 8 + VXLAN 8 + inner Ethernet 14. */
const vxlanOverhead = 50;

/** Of a frame inside the tunnel, where networks share one (IEEE 802.1Q). */
const vlanTag = 4;

/** ESP in transport mode with AES-GCM and an 8-byte tag, as Docker counts it: header 8, IV 8, trailer 2, tag 8. */
const espOverhead = 26;

/** What an overlay wraps around a container's packet. */
export type Encapsulation = "none" | "vxlan" | "tagged vxlan" | "encrypted vxlan";

/** What the Internet carries: few ways are wider, and nobody is told which. */
const internetMtu = 1500;

/** What a site carries within itself, and to others where that is known. */
export interface SiteMtu {
  readonly mtu: number;
  readonly mtuOutside?: number;
}

/** Largest packet that passes between any two hosts, in bytes. Where there are several sites, their ways to each other count. */
export function smallestMtu(sites: readonly SiteMtu[]): number {
  const ways = sites.map(({ mtu, mtuOutside }) => (sites.length > 1 ? Math.min(mtu, mtuOutside ?? internetMtu) : mtu));
  return Math.min(...ways);
}

/** Largest packet between hosts, in bytes: the same on all of them, so the smallest site decides. */
export function underlayMtu(siteMtus: readonly number[], underlayOverhead: number): number {
  return Math.min(...siteMtus, 65_535) - underlayOverhead;
}

/** Largest packet of a container, in bytes. */
export function containerMtu(underlay: number, encapsulation: Encapsulation): number {
  switch (encapsulation) {
    case "none":
      return underlay;
    case "vxlan":
      return underlay - vxlanOverhead;
    case "tagged vxlan":
      return underlay - vxlanOverhead - vlanTag;
    case "encrypted vxlan":
      // ESP pads to four bytes (RFC 4303 section 2.4); Docker's overlay driver rounds in the same way.
      return 4 * Math.floor((underlay - vxlanOverhead - espOverhead) / 4);
    default:
      return encapsulation satisfies never;
  }
}
