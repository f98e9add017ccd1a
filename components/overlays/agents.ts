import type { OverlayAgent } from "./agent";
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
  flannel: nothingOnHosts,
};

export function isOverlayKind(name: string): name is OverlayKind {
  return name in overlayAgents;
}
