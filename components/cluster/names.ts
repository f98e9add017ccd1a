import type { FirewallArgs } from "../firewall/args";
import { type PlannedName, stashType } from "../names/name";
import type { Groups } from "../hosts/plan";
import { hostNames, type OwnRules, shownName, shownNames, sinceName } from "./shown-names";
import { isSlice, networkOfSlice } from "./subnets";
import type { ClusterPlan } from "./planned";

const command = "command:local:Command";
const overlayNetwork = "pulumi-swarm:index:OverlayNetwork";
const gatewayType = "pulumi-swarm:index:Gateway";

/** What names depend on, of a plan that need not be whole yet. */
export type NamedPlan = Pick<
  ClusterPlan,
  "hosts" | "networks" | "policies" | "peers" | "trunks" | "gateways" | "firewall" | "encryption" | "programs" | "subnets" | "onHosts" | "revisitDays"
>;

/** The names of all resources under a cluster's component. What the user asks for later, such as a provider, is not among them. */
export function clusterNames(cluster: string, plan: NamedPlan, groups: Groups, firewall: FirewallArgs | undefined): PlannedName[] {
  const own = { of: "the cluster itself", path: "name" };
  const stashes = ["memory-key", "members", "managers", "underlay"];
  if (plan.onHosts !== undefined) stashes.push("overlay-secret");
  if (plan.revisitDays !== undefined) stashes.push("overlay-since");
  return [
    ...stashes.map((what): PlannedName => ({ ...own, type: stashType, name: `${cluster}-${what}` })),
    ...["members", "managers"].map((what): PlannedName => ({ ...own, type: "resource hook", name: `${cluster}-${what}`, anywhere: true })),
    ...["swarm", "swarm-intent", "nodes"].map((what): PlannedName => ({ ...own, type: command, name: `${cluster}-${what}` })),
    ...shownNames(cluster, { ...plan, remembers: (owner) => isRemembered(owner) && !isSlice({ owner }) }, ownRules(firewall)),
    ...hostNames(cluster, { groups, hosts: plan.hosts, rules: plan.firewall }),
    ...plan.subnets.filter(isSlice).flatMap(({ owner }): PlannedName[] => {
      const network = networkOfSlice(owner);
      const slice = { type: stashType, of: `network ${network}`, path: `networks.${network}` };
      return [shownName(cluster, owner), sinceName(cluster, owner)].map((name) => ({ ...slice, name }));
    }),
    ...plan.networks.flatMap(({ name: network }): PlannedName[] => {
      const resource = { name: `${cluster}-${network}`, of: `network ${network}`, path: `networks.${network}` };
      return [overlayNetwork, `${overlayNetwork}$${command}`].map((type) => ({ ...resource, type }));
    }),
    ...plan.gateways.flatMap(({ name: gateway }): PlannedName[] => {
      const resource = { name: `${cluster}-${gateway}`, of: `gateway ${gateway}`, path: `gateways.${gateway}` };
      return [gatewayType, `${gatewayType}$${command}`].map((type) => ({ ...resource, type }));
    }),
  ];
}

/** Places of the others are fixed fractions of the address space, so they move with the pool alone. */
export function isRemembered(owner: string): boolean {
  return !["docker0", "docker_gwbridge", "ingress"].includes(owner);
}

/** A program without types may give anything. */
export function ownRules(firewall: FirewallArgs | undefined): OwnRules {
  return { expose: Object.keys(firewall?.expose ?? {}), allow: Object.keys(firewall?.allow ?? {}) };
}
