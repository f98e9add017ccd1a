import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { selects } from "../../firewall/resolve";
import type { HostSelector } from "../../firewall/rule";
import { transformed } from "../../transform";
import type { AdmitContext, HostContext, HostRole, Member, RulesContext } from "../host";
import type { Problem } from "../../report";
import type { AwsHostsArgs } from "./args";
import { isQuota } from "./check";
import type { Common } from "./names";
import { defaults } from "./defaults";
import { compileIngress, groupSizes, type IngressRule, selectorsFor, waysOut } from "./rules";

/** The security groups that a host of this group is in. They are made with the first host that needs them. */
export function securityGroups(
  args: AwsHostsArgs,
  role: HostRole,
  vpcId: pulumi.Input<string>,
  common: Common,
  context: HostContext,
): readonly aws.ec2.SecurityGroup[] {
  const { group, rules } = context;
  return selectorsFor(role, group, rules).map((selector) => securityGroup(args, selector, vpcId, common, context));
}

function securityGroup(
  { transform }: AwsHostsArgs,
  selector: HostSelector,
  vpcId: pulumi.Input<string>,
  common: Common,
  { parent, shared }: HostContext,
): aws.ec2.SecurityGroup {
  return shared(keyOf(common, selector), () => {
    const name = common.named(selector);
    const description = `Hosts of the swarm: ${selector}`;
    const securityGroup = { region: common.region, tags: common.tags(name), name, description, vpcId };
    return new aws.ec2.SecurityGroup(name, transformed(transform?.securityGroup, securityGroup), common.options(parent));
  });
}

function keyOf(common: Common, selector: HostSelector): string {
  return common.once(`security group ${selector}`);
}

/** The rules of all security groups of the site, each a resource of its own: an edit of one shows as just that. */
export function admit(args: AwsHostsArgs, site: string, common: Common, context: AdmitContext): readonly pulumi.Resource[] {
  return context.shared(common.once("rules"), () => {
    const rules = compileIngress(context.rules, site, context.members);
    return [...rules.map((rule) => ingress(args, rule, common, context)), ...egress(args, common, context)];
  });
}

/** EC2 refuses the first rule over its quota, when the rest is made: it is better known before. */
export function checkRules({ role, securityGroupRules }: AwsHostsArgs, site: string, { group, rules, members }: RulesContext): readonly Problem[] {
  const most = isQuota(securityGroupRules) ? securityGroupRules : defaults.securityGroupRules;
  return groupSizes(compileIngress(rules, site, members))
    .filter((one) => one.rules > most && selects(one.group, { role, group }))
    .map((one) => ({
      path: "securityGroupRules",
      message: `the security group of ${one.group} in site "${site}" would have ${one.rules} rules, and EC2 takes ${most}`,
      fix: `name fewer sources in firewall, or have AWS raise the quota of rules per security group and say securityGroupRules: ${one.rules} in all groups of the site`,
    }));
}

function ingress({ transform }: AwsHostsArgs, rule: IngressRule, common: Common, context: AdmitContext): pulumi.Resource {
  const name = common.named(rule.name);
  const args = {
    region: common.region,
    tags: common.tags(name),
    securityGroupId: made(common, rule.group, context).id,
    ipProtocol: rule.protocol,
    description: rule.description,
    ...(rule.range && { fromPort: rule.range.from, toPort: rule.range.to }),
    ...sourceOf(rule, common, context),
  };
  return new aws.vpc.SecurityGroupIngressRule(name, transformed(transform?.ingressRule, args), common.options(context.parent));
}

function sourceOf({ source }: IngressRule, common: Common, context: AdmitContext): Partial<aws.vpc.SecurityGroupIngressRuleArgs> {
  switch (source.kind) {
    case "security group":
      return { referencedSecurityGroupId: made(common, source.of, context).id };
    case "network":
      return source.cidr.includes(":") ? { cidrIpv6: source.cidr } : { cidrIpv4: source.cidr };
    case "host":
      return { cidrIpv4: pulumi.interpolate`${addressOf(source.key, source.by, context.members)}/32` };
  }
}

function addressOf(key: string, by: "address" | "seenAs", members: readonly Member[]): pulumi.Input<string> {
  return members.find((member) => member.key === key)?.[by] ?? "";
}

/** Hosts fetch packages and images from anywhere: what they may call is not limited here. */
function egress({ transform }: AwsHostsArgs, common: Common, context: AdmitContext): readonly pulumi.Resource[] {
  const everywhere = [
    { name: common.named(waysOut[0]), to: { cidrIpv4: "0.0.0.0/0" } },
    { name: common.named(waysOut[1]), to: { cidrIpv6: "::/0" } },
  ];
  return everywhere.map(({ name, to }) => {
    const args = { region: common.region, tags: common.tags(name), securityGroupId: made(common, "members", context).id, ipProtocol: "-1", ...to };
    return new aws.vpc.SecurityGroupEgressRule(name, transformed(transform?.egressRule, args), common.options(context.parent));
  });
}

/** Hosts were made before their rules, and with them all groups that any of the rules can name. */
function made(common: Common, selector: HostSelector, { shared }: AdmitContext): aws.ec2.SecurityGroup {
  return shared(keyOf(common, selector), () => {
    throw new Error(`no host of the site is in the security group of ${selector}`);
  });
}
