import type { Problem } from "../hosts/host";
import type { UnderlayPlan } from "../underlay/underlay";

/** What the plan needs to know to accept an overlay. */
export interface OverlayContext {
  readonly sites: readonly string[];
  readonly underlay: UnderlayPlan;
}

/** What an overlay adds to the plan. */
export interface OverlayPlan {
  readonly kind: string;
  /** Docker network driver of the cluster's networks. */
  readonly driver: string;
  /** Bytes that it takes from every packet of the underlay. */
  readonly overhead: number;
  /** Options of every network made on it. */
  readonly networkOptions: (underlayMtu: number) => Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/** An overlay that the user chose. Made by `native()` and its siblings; a new one is a new folder that exports such a function. */
export interface Overlay {
  readonly kind: string;
  plan(context: OverlayContext): OverlayPlan;
}

/** Refuses what is not one of ours, as happens in a program without types. */
export function isOverlay(value: unknown): value is Overlay {
  return typeof value === "object" && value !== null && typeof (value as Overlay).plan === "function";
}
