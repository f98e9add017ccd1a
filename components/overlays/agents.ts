import type { OverlayAgent } from "./agent";
import type { OverlayKind } from "./overlay";

const nothingOnHosts: OverlayAgent = {
  up: () => Promise.resolve([]),
  depart: () => Promise.resolve([]),
  down: () => Promise.resolve([]),
};

/** An agent whose program is read when it has something to do: most runs have one overlay, and wait for no other's certificates and protocols. */
function late(load: () => OverlayAgent): OverlayAgent {
  return {
    up: (work) => load().up(work),
    depart: (work) => load().depart(work),
    down: (hosts, io) => load().down(hosts, io),
  };
}

/* eslint-disable @typescript-eslint/no-require-imports -- import() would make of these files modules of another kind, which ts-node does not read */

/** What each overlay does on hosts. */
export const overlayAgents: { readonly [Kind in OverlayKind]: OverlayAgent } = {
  native: nothingOnHosts,
  weave: late(() => (require("./weave/agent") as typeof import("./weave/agent")).weaveAgent),
  flannel: late(() => (require("./flannel/agent") as typeof import("./flannel/agent")).flannelAgent),
  calico: late(() => (require("./calico/agent") as typeof import("./calico/agent")).calicoAgent),
  openvswitch: late(() => (require("./openvswitch/agent") as typeof import("./openvswitch/agent")).openvswitchAgent),
};

export function isOverlayKind(name: string): name is OverlayKind {
  return name in overlayAgents;
}
