import type { PlannedHost } from "../hosts/host";
import type { Cidr } from "../addresses/cidr";
import { planPieces } from "../addresses/pieces";
import type { Pins, PlannedSubnet } from "../addresses/subnets";
import type { Report } from "../report";

export interface PlannedTunnel {
  readonly addresses: ReadonlyMap<string, string>;
  readonly blocks: readonly PlannedSubnet[];
}

/** Each host has an address in the tunnel's space. */
export function planTunnel(hosts: readonly PlannedHost[], space: Cidr, pins: Pins, report: Report): PlannedTunnel {
  // Up to 64 groups have a block of the tunnel's space, of 254 hosts at the most.
  const blockPrefix = Math.min(28, Math.max(24, space.prefix + 6));
  const kind = {
    owner: "tunnel",
    pieces: "tunnel addresses",
    blockPrefix,
    pinPrefixes: [blockPrefix, blockPrefix] as const,
    piecePrefix: 32,
    withoutEnds: true,
    purpose: (group: string) => `addresses of the hosts of ${group} in the encrypted tunnel`,
    from: `${space}, the tunnel's part of the address space`,
    routes: "between all hosts, encrypted",
    fix: "make a group of their own for those that are new",
  };
  const { pieces, blocks } = planPieces(hosts, space, kind, pins, report);
  return { addresses: new Map([...pieces].map(([key, piece]) => [key, piece.address(0)])), blocks };
}
