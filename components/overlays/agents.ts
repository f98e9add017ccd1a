import type { OverlayAgent } from "./agent";
import { flannelAgent } from "./flannel/agent";
import type { OverlayKind } from "./overlay";
import { weaveAgent } from "./weave/agent";

const nothingOnHosts: OverlayAgent = {
  up: () => Promise.resolve([]),
  depart: () => Promise.resolve([]),
  down: () => Promise.resolve([]),
};

/** What each overlay does on hosts. */
export const overlayAgents: { readonly [Kind in OverlayKind]: OverlayAgent } = {
  native: nothingOnHosts,
  weave: weaveAgent,
  flannel: flannelAgent,
};

export function isOverlayKind(name: string): name is OverlayKind {
  return name in overlayAgents;
}
