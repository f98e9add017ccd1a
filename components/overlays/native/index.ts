import type { Overlay } from "../overlay";
import { readOverlay } from "../read";
import { type NativeArgs, nativeOptions } from "./args";
import { planNative } from "./plan";

export type { NativeArgs } from "./args";

/** Docker's own overlay: VXLAN between the hosts, a virtual address and DNS for services. */
export function native(args: NativeArgs = {}): Overlay {
  return readOverlay("native", args, nativeOptions, planNative);
}
