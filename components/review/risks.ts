import type { EncryptionChannel } from "../addresses/encryption";
import { managersOf, quorumRisk } from "../topology/quorum";
import type { Topology } from "../topology/topology";

/** What an edit can do to a cluster that somebody should have seen before, each with what it means. */
export const risks = {
  "world-open": "a port is open to the whole Internet, or hosts close nothing any more",
  "quorum-loss":
    "fewer managers than a majority are left for a while, or one that fails takes the majority with it: nothing of the swarm can be changed then",
  renumber: "an address or a subnet that is in use becomes another one",
  plaintext: "data that was encrypted is so no longer, or crosses from site to site as it is",
  "replace-manager": "a manager's machine is deleted with all that is on its disk and replaced, or may be another one by its SSH host key",
} as const;

export type Risk = keyof typeof risks;

export const riskNames = Object.keys(risks) as readonly Risk[];

export function isRisk(name: string): name is Risk {
  return Object.hasOwn(risks, name);
}

/** Whether the hosts themselves drop nothing, so that all is open which a firewall of the user's own does not close. */
export function isUnenforced({ enforced }: Pick<Topology, "enforced">): boolean {
  return enforced === "none";
}

export function sitesOf({ hosts }: Pick<Topology, "hosts">): string[] {
  return [...new Set(hosts.map(({ site }) => site))].sort();
}

/**
 * What crosses from one site to another and can be read on the way. On one site, plain data is the usual case and no risk by itself: who
 * runs a network of their own decides that.
 */
export function plaintext(topology: Pick<Topology, "hosts" | "encryption">): EncryptionChannel[] {
  if (sitesOf(topology).length < 2) return [];
  // What an overlay encrypts between sites but not within one says so by its mechanism.
  return topology.encryption.filter(({ channel, protects, mechanism }) => channel === "overlay data" && !protects && mechanism === "none");
}

/**
 * What was protected and is so no longer. Not the disks: what is said of them is only what this package does, and whoever made the
 * machines may well have encrypted them.
 */
export function unprotected(before: readonly EncryptionChannel[], after: readonly EncryptionChannel[]): EncryptionChannel[] {
  const was = new Set(before.filter(({ protects }) => protects).map(({ channel }) => channel));
  return after.filter(({ channel, protects }) => channel !== "disks" && !protects && was.has(channel));
}

/** Sites whose loss takes the majority of the managers with it, where there is more than one site. */
export function sitesThatTakeTheQuorum(topology: Pick<Topology, "hosts">): string[] {
  const managers = managersOf(topology);
  const sites = sitesOf(topology);
  if (sites.length < 2) return [];
  return sites.filter((site) => quorumRisk(managers.length, managers.filter((host) => host.site === site).length));
}
