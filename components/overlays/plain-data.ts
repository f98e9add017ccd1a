import type { EncryptionChannel } from "../addresses/encryption";
import type { Problem } from "../report";
import type { UnderlayPlan } from "../underlay/underlay";
import type { OverlayContext } from "./overlay";

/** Data that an overlay does not encrypt itself: what the underlay makes of it. */
export function plainData({ kind, encrypted }: UnderlayPlan, note = "whoever is on the site's network can read it"): EncryptionChannel {
  if (!encrypted) return { channel: "overlay data", mechanism: "none", keyHolder: "nobody", rotation: "none", protects: false, note };
  const asTheUnderlays = "as the underlay's";
  return {
    channel: "overlay data",
    mechanism: `inside the ${kind} underlay`,
    keyHolder: asTheUnderlays,
    rotation: asTheUnderlays,
    protects: true,
  };
}

/** Of an overlay that has no encryption of its own: nobody means plaintext between sites. @param overlay as messages call it */
export function plainBetweenSites(overlay: string, { sites, underlay }: Pick<OverlayContext, "sites" | "underlay">): Problem[] {
  if (sites.length < 2 || underlay.encrypted) return [];
  return [
    {
      path: "overlay",
      message: `${overlay} would carry container traffic in plaintext between the sites ${sites.join(" and ")}: it encrypts nothing itself`,
      fix: "take wireguard() as the underlay",
    },
  ];
}
