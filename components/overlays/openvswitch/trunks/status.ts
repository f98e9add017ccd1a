import type { Finding } from "../../../health";

/** A VLAN of the user's switch on the host that carries it. */
export interface TrunkState {
  readonly name: string;
  readonly interface: string;
  /** `missing`: there is no such interface; `loose`: it is not in its bridge, or that is not joined to the network; `unplugged`: it has no carrier. */
  readonly state: "up" | "missing" | "loose" | "unplugged";
}

export const trunkKinds = {
  "openvswitch-trunk":
    "a VLAN of your own switch is not connected at the host that carries it, so that its machines and containers do not reach each other",
};

/** What is wrong on one host. The first two are whatever the machine or the switch is; what the bridge lacks, `up` makes. */
export function trunkFindings(host: string, trunks: readonly TrunkState[], madeAnew: string): Finding[] {
  const wrong = { missing: "is not there", loose: "is not in its bridge", unplugged: "is not connected" } as const;
  return trunks.flatMap(({ name, interface: link, state }): Finding[] => {
    if (state === "up") return [];
    const see =
      state === "missing"
        ? `see why ${host} has no interface ${link}`
        : `see that ${link} is connected to the switch, and that the switch's port is on`;
    return [
      {
        kind: "openvswitch-trunk",
        severity: state === "loose" ? "broken" : "warning",
        hosts: [host],
        text: `${host}: the interface ${link} of the trunk ${name} ${wrong[state]}, so machines on its VLAN and containers do not reach each other`,
        fix: state === "loose" ? madeAnew : `${see}; it is taken by itself when it is back`,
        ...(state === "loose" && { drift: true }),
      },
    ];
  });
}
