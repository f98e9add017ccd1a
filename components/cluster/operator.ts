import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import { Cidr, isCidr } from "../addresses/cidr";
import type { ClusterPlan } from "./planned";

/** This machine's own networks, by interface. */
export type Interfaces = NodeJS.Dict<readonly Pick<NetworkInterfaceInfo, "address" | "cidr" | "family" | "internal">[]>;

/**
 * Where this machine's own networks lie on what was planned: from here, those addresses lead elsewhere. No error, since the plan
 * must be the same on every machine that makes it, and CI's networks are not the operator's.
 */
export function operatorOverlaps({ addressSpace, sites }: ClusterPlan, interfaces: Interfaces = networkInterfaces()): string[] {
  const space = Cidr.parse(addressSpace);
  const own = sites.flatMap(({ network }) => {
    const parsed = network === undefined ? undefined : Cidr.parse(network);
    return parsed && isCidr(parsed) ? [parsed] : [];
  });
  return Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses.flatMap(({ cidr, family, internal }) => {
      const network = cidr === null || family !== "IPv4" || internal ? undefined : Cidr.around(cidr);
      if (!network || !isCidr(network) || !isCidr(space) || !space.overlaps(network) || own.some((site) => site.overlaps(network))) return [];
      return [`this machine's ${network} (${name}) overlaps the address space ${space}: what is planned there cannot be reached from here`];
    }),
  );
}
