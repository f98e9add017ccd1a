import { createHash, hkdfSync } from "node:crypto";
import type { WeaveSettings } from "./args";

/** What a host says of its password: labels, never the password. */
export interface Standing {
  /** In its file; empty where there is none yet. */
  readonly label: string;
  /** With which its router runs; empty where it does not run. */
  readonly running: string;
}

/** Stands for no password. */
export const plaintext = "plaintext";

/** Tells one password from another without giving it away: it follows from the rotation's text alone. */
export function labelOf(rotation: string): string {
  return createHash("sha256").update(`weave rotation ${rotation}`).digest("hex").slice(0, 16);
}

/** 256 bits that follow from the cluster's secret and the label: the same on every host and in every run. Empty for plaintext. */
export function password(secret: string, label: string): string {
  if (label === plaintext) return "";
  const bits = hkdfSync("sha256", Buffer.from(secret, "base64url"), "", `weave password ${label}`, 32);
  return Buffer.from(bits).toString("base64url");
}

export interface PasswordChoice {
  /** Of the password that all hosts get. */
  readonly label: string;
  /** Of the one that they use now. @default - none of them has one */
  readonly current: string | undefined;
  /** Another one is asked for, and has to wait. */
  readonly waiting: boolean;
}

/**
 * Which password all hosts get. Routers with different ones do not talk, so it changes only when every host can be told; where
 * a change was begun, which is only done when all were told, it is ended.
 *
 * @param absent hosts that cannot be told.
 */
export function choosePassword(
  standing: readonly Standing[],
  { encrypted, rotation }: Pick<WeaveSettings, "encrypted" | "rotation">,
  absent: readonly string[],
): PasswordChoice {
  const running = standing.map((one) => one.running).filter((label) => label !== "");
  const current = mostCommon(running.length > 0 ? running : standing.map(({ label }) => label).filter((label) => label !== ""));
  const wanted = wantedLabel(encrypted, rotation, current);
  if (current === undefined || current === wanted || absent.length === 0 || running.includes(wanted))
    return { label: wanted, current, waiting: false };
  return { label: current, current, waiting: true };
}

/** Taking the rotation out asks for nothing. */
function wantedLabel(encrypted: boolean, rotation: string | undefined, current: string | undefined): string {
  if (!encrypted) return plaintext;
  if (rotation !== undefined) return labelOf(rotation);
  return current === undefined || current === plaintext ? labelOf("") : current;
}

function mostCommon(labels: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([a, most], [b, other]) => other - most || (a < b ? -1 : 1))[0]?.[0];
}
