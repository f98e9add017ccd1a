import type { EncryptionChannel } from "../addresses/encryption";
import type { UnderlayPlan } from "../underlay/underlay";

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
