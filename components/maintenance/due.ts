/** The word for `maintenance.reboot` that asks for no reboot but those that a host's updates need. */
export const ifRequired = "if required";

/** What the program asks for, once for each text. */
export interface AskedMaintenance {
  readonly reboot?: string;
  readonly packages?: string;
}

/** The texts for which it was done last. */
export type DoneMaintenance = AskedMaintenance;

/** What a look at a host sees of it. */
export interface SeenMaintenance {
  /** Another one after each start of the machine. */
  readonly boot: string;
  /** The text for which it was rebooted last. */
  readonly rebooted: string | null;
  /** The text for which its packages were upgraded last. */
  readonly packages: string | null;
  /** Why it needs a reboot, such as the packages that say so; empty where it needs none. */
  readonly required: string;
}

/** What a host is to be rebooted for. */
export type RebootReason =
  | { readonly kind: "asked"; readonly text: string }
  /** Its updates need it. */
  | { readonly kind: "required"; readonly why: string }
  /** Its updates may need it once they are installed. */
  | { readonly kind: "after packages" };

/** What is still to be done to a host. */
export interface DueMaintenance {
  /** The text. */
  readonly packages?: string;
  readonly reboot?: RebootReason;
}

export function asksForMaintenance({ reboot, packages }: AskedMaintenance): boolean {
  return reboot !== undefined || packages !== undefined;
}

export function dueMaintenance(seen: SeenMaintenance, { reboot, packages }: AskedMaintenance): DueMaintenance {
  const upgrade = packages !== undefined && packages !== seen.packages;
  const reason = reboot === undefined ? undefined : reasonFor(reboot, seen, upgrade);
  return { ...(upgrade && { packages }), ...(reason && { reboot: reason }) };
}

function reasonFor(reboot: string, { rebooted, required }: SeenMaintenance, upgrade: boolean): RebootReason | undefined {
  if (reboot !== ifRequired) return reboot === rebooted ? undefined : { kind: "asked", text: reboot };
  if (required !== "") return { kind: "required", why: required };
  return upgrade ? { kind: "after packages" } : undefined;
}

export function doneMaintenance({ rebooted, packages }: Pick<SeenMaintenance, "rebooted" | "packages">): DoneMaintenance {
  return { ...(rebooted !== null && { reboot: rebooted }), ...(packages !== null && { packages }) };
}
