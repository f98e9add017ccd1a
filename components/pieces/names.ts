import { ownRules } from "../cluster/names";
import type { FirewallArgs } from "../firewall/args";
import { type PlannedName, stashType } from "../names/name";
import type { Groups } from "../hosts/plan";
import { hostNames, shownNames } from "../cluster/shown-names";
import type { HostsAlonePlan } from "./plan";

/** The names of all resources under a piece's component. */
export function pieceNames(name: string, plan: HostsAlonePlan, groups: Groups, firewall: FirewallArgs | undefined): PlannedName[] {
  const own = { of: "the piece itself", path: "name" };
  const shown = { ...plan, firewall: plan.enforced === "hosts" ? plan.firewall : [], programs: [], remembers: () => true };
  return [
    { ...own, type: stashType, name: `${name}-memory-key` },
    ...["hosts", "hosts-intent"].map((what): PlannedName => ({ ...own, type: "command:local:Command", name: `${name}-${what}` })),
    ...shownNames(name, shown, ownRules(firewall)),
    ...hostNames(name, { groups, hosts: plan.hosts, rules: plan.firewall }),
  ];
}
