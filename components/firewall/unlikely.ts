import { AnyCidr, isAnyCidr } from "../addresses/any-cidr";
import { isHostSelector, selects } from "./resolve";
import type { FirewallRule, HostSelector } from "./rule";
import type { Group } from "./sources";
import { openFamilies } from "./world";

/** What rules of the user's allow, though it is seldom meant: everybody in one family alone, and hosts that there are none of. */
export function unlikely(rules: readonly FirewallRule[], groups: readonly Group[]): string[] {
  const isNobody = (selector: HostSelector): boolean => !groups.some(({ key, role }) => selects(selector, { group: key, role }));
  return rules.flatMap(({ name, from, to, answers }) => {
    const path = `firewall.${answers === "container" ? "expose" : "allow"}.${name}`;
    const half = oneFamily(from);
    const nobody = from.length > 0 && from.every((source) => isHostSelector(source) && isNobody(source));
    return [
      ...(half === undefined ? [] : [`${path}: everybody may connect by IPv${half}, and nobody by IPv${half === 4 ? 6 : 4}; "world" is both`]),
      ...(groups.length > 0 && isNobody(to) ? [`${path}: it is open on ${to}, and the cluster has none`] : []),
      ...(groups.length > 0 && nobody ? [`${path}: it is open to ${from.join(" and ")}, and the cluster has none`] : []),
    ];
  });
}

/** The family of which everybody may connect, where nobody of the other one may. */
function oneFamily(from: FirewallRule["from"]): 4 | 6 | undefined {
  const [open, other] = openFamilies(from).filter(({ share }) => share === "all");
  if (open === undefined || other !== undefined) return undefined;
  const some = from.map((source) => AnyCidr.parse(source)).some((network) => isAnyCidr(network) && network.version !== open.version);
  return some ? undefined : open.version;
}
