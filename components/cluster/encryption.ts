import type { SwarmOptions } from "../membership/args";
import type { Groups } from "../hosts/plan";
import type { EncryptionChannel } from "../addresses/encryption";
import type { OverlayPlan } from "../overlays/overlay";
import type { UnderlayPlan } from "../underlay/underlay";

/** Docker renews a node's certificate by itself after about half of its life; `docker swarm update --cert-expiry`. */
const defaultExpiry = "2160h";

/** What protects each way that data takes, or that nothing does. */
export function planEncryption(underlay: UnderlayPlan, overlay: OverlayPlan, swarm: SwarmOptions, groups: Groups): EncryptionChannel[] {
  const expiry = swarm.certificateExpiry ?? defaultExpiry;
  return [
    {
      channel: "administration",
      mechanism: "SSH, host keys pinned",
      keyHolder: "the operator; local hosts' keys are a secret in Pulumi's state",
      rotation: "by the operator",
      protects: true,
    },
    underlay.encryption,
    {
      channel: "swarm control",
      mechanism: "TLS, both sides with certificates of the swarm's own authority",
      keyHolder: "each node its own key, the managers the authority's",
      rotation: `certificates by Docker, valid for ${expiry}; the authority by swarm.rotateCa`,
      protects: true,
    },
    { channel: "gossip", mechanism: "AES-GCM", keyHolder: "the swarm's managers", rotation: "by Docker, every 12 hours", protects: true },
    ...overlay.encryption,
    {
      channel: "raft log",
      mechanism: swarm.autolock === true ? "NaCl secretbox, its key locked" : "NaCl secretbox, its key beside it on the disk",
      keyHolder: swarm.autolock === true ? "Pulumi's state, as a secret" : "each manager's disk",
      rotation: swarm.autolock === true ? "by swarm.rotateUnlockKey" : "when a manager is demoted",
      protects: swarm.autolock === true,
      ...(swarm.autolock !== true && { note: "who takes a manager's disk can read the swarm's secrets: swarm.autolock prevents it" }),
    },
    planDisks(groups),
  ];
}

function planDisks(groups: Groups): EncryptionChannel {
  const bare = groups.filter(([, { diskEncryption }]) => diskEncryption === undefined).map(([key]) => key);
  const mechanisms = [...new Set(groups.flatMap(([, { diskEncryption }]) => diskEncryption ?? []))].sort();
  if (mechanisms.length > 0 && bare.length === 0) {
    return { channel: "disks", mechanism: mechanisms.join("; "), keyHolder: "the cloud's account", rotation: "by the cloud", protects: true };
  }
  return {
    channel: "disks",
    mechanism: mechanisms.length === 0 ? "none by this package" : `none by this package for ${bare.sort().join(", ")}`,
    keyHolder: "whoever made the machines",
    rotation: "none",
    protects: false,
    note: "images, volumes and logs are as the machine's disk is",
  };
}
