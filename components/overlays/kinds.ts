import { calicoOptions } from "./calico/args";
import { flannelOptions } from "./flannel/args";
import { nativeOptions } from "./native/args";
import type { OverlayKind } from "./overlay";
import { openvswitchOptions } from "./openvswitch/args";
import { weaveOptions } from "./weave/args";

/** The options of all overlays. */
export const overlayOptions = {
  native: nativeOptions,
  weave: weaveOptions,
  flannel: flannelOptions,
  calico: calicoOptions,
  openvswitch: openvswitchOptions,
} as const satisfies Record<OverlayKind, unknown>;

/** Their names, by kind. */
export const overlayOptionNames = Object.fromEntries(Object.entries(overlayOptions).map(([kind, { names }]) => [kind, names]));
