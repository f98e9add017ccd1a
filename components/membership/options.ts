import type { SwarmOptions } from "./args";
import type { SwarmSettings } from "./swarm-api";
import { rotatedLabels } from "./types";

/** Whether the value is another one than that of the last rotation. */
export function asksForRotation(value: string | undefined, seen: SwarmSettings, what: keyof typeof rotatedLabels): value is string {
  return value !== undefined && seen.labels[rotatedLabels[what]] !== value;
}

/** A new swarm has everything new: no rotation that the program asks for is left to do. */
export function initialLabels({ rotateCa, rotateJoinTokens }: SwarmOptions): Readonly<Record<string, string>> {
  return {
    ...(rotateCa !== undefined && { [rotatedLabels.ca]: rotateCa }),
    ...(rotateJoinTokens !== undefined && { [rotatedLabels.joinTokens]: rotateJoinTokens }),
  };
}

/** `"720h"`; the plan has checked the form. */
export function hoursOf(expiry: string): number {
  return Number.parseInt(expiry, 10);
}
