import { butForTold, collectOptions, type Options } from "../options";
import { overlayOptionNames } from "./kinds";
import type { Overlay, OverlayContext, OverlayKind, OverlayPlan } from "./overlay";

/** An overlay out of what a user wrote. What is wrong with that is among the problems of its plan. */
export function readOverlay<Args extends object>(
  kind: OverlayKind,
  given: unknown,
  wanted: Options<Args>,
  plan: (args: Partial<Args>, context: OverlayContext) => OverlayPlan,
): Overlay {
  const { args = {}, problems } = collectOptions(given, wanted, "overlay", { kind, kinds: overlayOptionNames });
  return {
    kind,
    plan: (context) => {
      const planned = plan(args, context);
      return { ...planned, problems: [...problems, ...butForTold(problems, planned.problems)] };
    },
  };
}
