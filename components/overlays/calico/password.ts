import { createHash, hkdfSync } from "node:crypto";

/** Of the password that hosts have before any other one is asked for. Hosts tell labels, never passwords. */
export const firstLabel = "first";

/** Tells one password from another without giving it away: it follows from the rotation's text alone. */
export function labelOf(rotation: string): string {
  return createHash("sha256").update(`calico rotation ${rotation}`).digest("hex").slice(0, 16);
}

/** 256 bits that follow from the cluster's secret and the label: the same on every host and in every run. */
export function bgpPassword(secret: string, label = firstLabel): string {
  const what = label === firstLabel ? "calico bgp password" : `calico bgp password ${label}`;
  return Buffer.from(hkdfSync("sha256", Buffer.from(secret, "base64url"), "", what, 32)).toString("base64url");
}

export interface LabelChoice {
  /** Of the password that all hosts get. */
  readonly label: string;
  /** Of the one that most have now. @default - none has one */
  readonly current: string | undefined;
  /** Another one is asked for, and has to wait. */
  readonly waiting: boolean;
}

/**
 * Which password all hosts get. Hosts with different ones have no session, so it changes only when every host can be told; where a change was
 * begun, which is only done when all were told, it is ended. Without a rotation, nothing is asked for.
 *
 * @param labels of the hosts' passwords; empty of a host that has none
 * @param absent hosts that cannot be told
 */
export function chooseLabel(labels: readonly string[], rotation: string | undefined, absent: readonly string[]): LabelChoice {
  const known = labels.filter((label) => label !== "");
  const current = mostCommon(known);
  const wanted = rotation === undefined ? (current ?? firstLabel) : labelOf(rotation);
  const waiting = current !== undefined && current !== wanted && absent.length > 0 && !known.includes(wanted);
  return { label: waiting ? current : wanted, current, waiting };
}

function mostCommon(labels: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([one, most], [two, other]) => other - most || (one < two ? -1 : 1))[0]?.[0];
}
