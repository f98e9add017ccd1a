import { type CloudRule, cloudRules } from "../firewall/cloud";
import type { FirewallRule } from "../firewall/rule";
import { assigned, type PlannedHost, type PlannedMember } from "./host";
import type { Groups } from "./plan";
import type { Report } from "../report";

/** What a cloud's firewall before the hosts of a site lets in. */
export function siteRules(site: string, hosts: readonly PlannedHost[], rules: readonly FirewallRule[]): readonly CloudRule[] {
  const addressesKnown = hosts.every((host) => host.site === site || (host.seenAs ?? host.publicAddress) !== undefined);
  return cloudRules(rules, { addressesKnown });
}

/** What clouds' firewalls do not take is found here, before anything is made. Groups of one site share them: each problem is told once. */
export function checkCloudRules(groups: Groups, hosts: readonly PlannedHost[], rules: readonly FirewallRule[], report: Report): void {
  const members = hosts.map(plannedMember);
  const told = new Set<string>();
  for (const [key, group] of groups) {
    for (const { path, message, fix } of group.checkRules?.({ group: key, rules: siteRules(group.site.key, hosts, rules), members }) ?? []) {
      if (!told.has(message)) report(`hosts.${key}.${path}`, message, fix);
      told.add(message);
    }
  }
}

export function plannedMember({ key, group, role, site, provider, address, seenAs, publicAddress }: PlannedHost): PlannedMember {
  const seen = seenAs ?? publicAddress;
  return { key, group, role, site, provider, address: address ?? assigned, ...(seen !== undefined && { seenAs: seen }) };
}
