import { cloudNames, underHost } from "../cloud/planned";
import type { PlannedName } from "../../names/name";
import type { NamesContext } from "../host";
import type { AwsHostsArgs } from "./args";
import { commonOf } from "./names";
import { compileIngress, selectorsFor, waysOut } from "./rules";

const ofSite = ["aws:ec2/vpc:Vpc", "aws:ec2/internetGateway:InternetGateway", "aws:ec2/routeTable:RouteTable"];
const ofZone = ["aws:ec2/subnet:Subnet", "aws:ec2/routeTableAssociation:RouteTableAssociation"];
const securityGroup = "aws:ec2/securityGroup:SecurityGroup";
const ingressRule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const egressRule = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";

/** The names of all that is made for a group and for its site. */
export function plannedNames(args: AwsHostsArgs, site: string, context: NamesContext): readonly PlannedName[] {
  const { cluster, group, hosts, rules, members } = context;
  const { named } = commonOf(args, site, context);
  const path = `hosts.${group}`;
  const shared = { of: `site "${site}"`, path };
  const zones = args.vpc === undefined ? [...new Set(hosts.flatMap(({ zone }) => zone ?? []))] : [];
  return [
    ...cloudNames("aws", context),
    ...(args.vpc === undefined ? ofSite.map((type): PlannedName => ({ ...shared, type, name: named() })) : []),
    ...zones.flatMap((zone) => ofZone.map((type): PlannedName => ({ type, name: named(zone), of: `zone ${zone} of site "${site}"`, path }))),
    ...selectorsFor(args.role, group, rules).map((selector): PlannedName => ({
      type: securityGroup,
      name: named(selector),
      of: `the security group of ${selector} in site "${site}"`,
      path,
    })),
    ...compileIngress(rules, site, members).map(({ name }): PlannedName => ({
      type: ingressRule,
      name: named(name),
      of: `"${name}" in the security groups of site "${site}"`,
      path: "firewall",
      fix: "rename one of the rules; of two networks in one rule, write one into an entry of its own",
    })),
    ...waysOut.map((way): PlannedName => ({ ...shared, type: egressRule, name: named(way) })),
    ...hosts.flatMap(({ key }) => machineTypes(args).map((type): PlannedName => ({ type, name: `${cluster}-${key}`, of: `group ${group}`, path }))),
  ];
}

function machineTypes({ publicAddress }: AwsHostsArgs): readonly string[] {
  const types = ["aws:ec2/networkInterface:NetworkInterface", "aws:ec2/instance:Instance", ...(publicAddress === "none" ? [] : ["aws:ec2/eip:Eip"])];
  return types.map((type) => `${underHost}${type}`);
}
