import { behaviour } from "../../../../components/hosts/aws/behaviour";
import { Cidr, isCidr } from "../../../../components/addresses/cidr";
import { number, requiredText, text, texts } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";
import type { Kind } from "../shared/kept";
import type { Store, Stored } from "../shared/store";

const token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const { quotas, deleteRefused } = behaviour["aws:ec2/securityGroup:SecurityGroup"];
const mostRules = quotas.rules.most;

/** The real one is refused for a quarter of an hour before it says so. */
export function securityGroup(store: Store): Kind {
  return {
    id: "sg",
    delete({ id }) {
      const isUsed = store
        .all("aws:ec2/networkInterface:NetworkInterface")
        .some(({ properties }) => texts(properties, "securityGroups")?.includes(id));
      const isNamed = store
        .all(token)
        .some(({ properties }) => properties["referencedSecurityGroupId"] === id && properties["securityGroupId"] !== id);
      if (isUsed || isNamed) throw new Error(deleteRefused[0].says);
    },
  };
}

export const egressRule: Kind = {
  id: "sgr",
  create(_, inputs) {
    refuseHostBits(inputs);
    return { outputs: {} };
  },
  update: updateRule,
};

function updateRule(_: Stored, inputs: Props): Props {
  refuseHostBits(inputs);
  return {};
}

function refuseHostBits(rule: Props): void {
  const network = text(rule, "cidrIpv4");
  if (network !== undefined && !isCidr(Cidr.parse(network)))
    throw new Error(`Invalid Attribute Value: cidr_ipv4 must be a valid IPv4 CIDR that represents a network address, got: ${network}`);
}

/** Refuses what EC2 does: a rule twice, too many, or one without exactly one source. */
export function ingressRule(store: Store): Kind {
  return {
    id: "sgr",
    create(id, inputs) {
      refuseHostBits(inputs);
      const group = requiredText(inputs, "securityGroupId");
      store.get(group, "InvalidGroup");
      const sources = ["cidrIpv4", "cidrIpv6", "referencedSecurityGroupId", "prefixListId"].filter((name) => text(inputs, name) !== undefined);
      if (sources.length !== 1) throw new Error(`InvalidParameterCombination: one source is needed, and there are ${sources.join(", ") || "none"}`);
      const others = store.all(token).filter(({ properties }) => properties["securityGroupId"] === group);
      const twin = others.find(({ properties }) => sameness(properties) === sameness(inputs));
      if (twin) throw new Error(`InvalidPermission.Duplicate: the specified rule already exists (${twin.id})`);
      if (others.length >= mostRules)
        throw new Error(`RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been reached.`);
      const description = text(inputs, "description") ?? "";
      if (!/^[A-Za-z0-9 ._\-:/()#,@[\]+=&;{}!$*]{0,255}$/.test(description))
        throw new Error(`InvalidParameterValue: Invalid rule description '${description}'`);
      return { outputs: { arn: `arn:aws:ec2:::security-group-rule/${id}`, securityGroupRuleId: id } };
    },
    update: updateRule,
  };
}

function sameness(rule: Props): string {
  const source = text(rule, "cidrIpv4") ?? text(rule, "cidrIpv6") ?? text(rule, "referencedSecurityGroupId");
  return JSON.stringify([text(rule, "ipProtocol"), number(rule, "fromPort"), number(rule, "toPort"), source]);
}
