import { collectOptions, type Options, withTold } from "../options";
import { overlayOptionNames } from "./kinds";
import type { Overlay, OverlayContext, OverlayKind, OverlayPlan, OverlaySecrets } from "./overlay";

/** An overlay out of what a user wrote. What is wrong with that is among the problems of its plan. */
export function readOverlay<Args extends object>(
  kind: OverlayKind,
  given: unknown,
  wanted: Options<Args>,
  plan: (args: Partial<Args>, context: OverlayContext) => OverlayPlan,
  secrets?: (args: Partial<Args>) => OverlaySecrets,
): Overlay {
  const { args = {}, problems } = collectOptions(given, wanted, "overlay", { kind, kinds: overlayOptionNames });
  return { kind, plan: (context) => withTold(problems, plan(args, context)), ...(secrets && { secrets: secrets(args) }) };
}
