import { createHash } from "node:crypto";
import { type NetworkRanges, rangeOf } from "../../ranges";
import { vlansOf } from "../links";

/** What the agent is told of VLANs of the user's switches. */
export interface TrunksSettings {
  /** Of machines there, among the places of hosts, in CIDR form. */
  readonly place: string;
  readonly all: readonly TrunkSettings[];
}

export interface TrunkSettings {
  readonly name: string;
  readonly interface: string;
  readonly vlan: number;
  readonly network: string;
  /** Key of its host. */
  readonly on: string;
}

function short(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/**
 * As `trunks.sh` reads them, on each host: those of other hosts have no interface here. A host whose file differs from what it had forgets
 * which way machines were.
 */
export function trunksFile({ place, all }: TrunksSettings, { networks, places }: NetworkRanges, host: string): string {
  const vlans = vlansOf(networks.map(({ name }) => name));
  return all
    .flatMap(({ name, interface: link, vlan, network, on }) => {
      const found = networks.find((each) => each.name === network);
      const inside = vlans.get(network);
      if (!found || inside === undefined) return [];
      // Another VLAN or network is another port: a port that changed its side would carry frames of one into the other.
      const port = short(`${name} ${link} ${vlan} ${network}`);
      const range = rangeOf(found.subnet, place, places);
      return [[name, on === host ? link : "-", `ovt-${short(link)}`, vlan, `ovq-${port}`, `ovr-${port}`, inside, range, on].join(" ")];
    })
    .join("\n");
}

/** Whether this host carries one. */
export function carriesTrunk(trunks: TrunksSettings | undefined, host: string): boolean {
  return trunks?.all.some(({ on }) => on === host) === true;
}
