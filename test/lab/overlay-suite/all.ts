import type { OverlayKind } from "../../../components/overlays/overlay";
import { calico } from "./calico";
import type { OverlayDescription } from "./description";
import { flannel } from "./flannel";
import { native } from "./native";
import { openvswitch } from "./openvswitch";
import { weave } from "./weave";

/** Every overlay, by its kind. */
export const overlays: Record<OverlayKind, OverlayDescription> = { native, weave, flannel, calico, openvswitch };

/** All of them, in an order in which no traces of one could be those of the one before it: calico's and flannel's are much the same. */
export const turns = [native, flannel, openvswitch, calico, weave] as const;

/** A walk that makes each change from one of them to another exactly once, and ends where it began. */
export function allChanges<Kind>(kinds: readonly Kind[]): readonly (readonly [Kind, Kind])[] {
  const stops = kinds.flatMap((one, index) => kinds.slice(index + 1).flatMap((other) => [one, other]));
  return stops.flatMap((from, index) => {
    const to = stops[index + 1] ?? stops[0];
    return to === undefined ? [] : [[from, to] as const];
  });
}
