import { number, requiredText, text, texts } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";
import type { MachineRules } from "../shared/filter";
import type { Store } from "../shared/store";

/** What its security groups let pass to each instance. */
export function securityGroupRules(store: Store): readonly MachineRules[] {
  return store.all("aws:ec2/instance:Instance").flatMap(({ properties, played }) => {
    const face = store.find(requiredText(properties, "primaryNetworkInterfaceId"));
    if (!face) return [];
    const groups = texts(face.properties, "securityGroups") ?? [];
    const rules = store
      .all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
      .filter((rule) => groups.includes(requiredText(rule.properties, "securityGroupId")))
      .flatMap((rule) => ruleOf(rule.properties, store));
    return [{ container: played?.["container"] ?? "", rules }];
  });
}

function ruleOf(rule: Props, store: Store): string[] {
  const [ipv4, ipv6, group] = [text(rule, "cidrIpv4"), text(rule, "cidrIpv6"), text(rule, "referencedSecurityGroupId")];
  if (ipv4 !== undefined) return [`ip saddr ${ipv4} ${what(rule)} accept`];
  if (ipv6 !== undefined) return [`ip6 saddr ${ipv6} ${what(rule)} accept`];
  const members = store
    .all("aws:ec2/networkInterface:NetworkInterface")
    .filter(({ properties }) => (texts(properties, "securityGroups") ?? []).includes(group ?? ""))
    .map(({ properties }) => requiredText(properties, "privateIp"));
  return members.length === 0 ? [] : [`ip saddr { ${members.join(", ")} } ${what(rule)} accept`];
}

function what(rule: Props): string {
  const [from, to] = [number(rule, "fromPort") ?? 0, number(rule, "toPort") ?? 0];
  const protocol = requiredText(rule, "ipProtocol");
  switch (protocol) {
    case "tcp":
    case "udp":
      return `${protocol} dport ${from}-${to}`;
    case "icmp":
    case "icmpv6":
      return `${protocol} type ${from}${to === -1 ? "" : ` ${protocol} code ${to}`}`;
    case "-1":
      return "";
    default:
      return `meta l4proto ${protocol}`;
  }
}
