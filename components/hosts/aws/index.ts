import { keySeed } from "../cloud/keys";
import type { AdmitContext, HostContext, HostGroup, Machine } from "../host";
import { imageWarnings } from "../cloud/image";
import { readGroup } from "../group";
import { awsHostsOptions, type AwsHostsArgs } from "./args";
import { createMachine } from "./machine";
import { commonOf } from "./names";
import { siteNetwork } from "./network";
import { addressWarnings, architectureOf, hostArgs, planAwsHosts } from "./plan";
import { plannedNames } from "./planned";
import { admit, checkRules, securityGroups } from "./security-groups";
import { agentSources } from "./ssm";

export type { AwsBastion, AwsHostArgs, AwsHostsArgs, AwsImage, AwsSubnet, AwsTransform, AwsVpc } from "./args";

/**
 * Hosts on Amazon EC2: their own network with a subnet in each zone, and security groups that allow what the plan allows. Each
 * host has an interface with a planned address and an Elastic IP, which stay when the instance is replaced.
 *
 * @example
 * new SwarmCluster("prod", {
 *   firewall: { ssh: ["203.0.113.0/24"] },
 *   hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1" }) },
 * });
 */
export function hosts(args: AwsHostsArgs): HostGroup {
  return readGroup("aws", args, awsHostsOptions, describe);
}

function describe(args: AwsHostsArgs): HostGroup {
  const { site, hosts: described, addressing, problems } = planAwsHosts(args);
  return {
    provider: "aws",
    role: args.role,
    site,
    hosts: described,
    addressing,
    diskEncryption: "EBS: AES-256 under a key of AWS KMS",
    problems,
    ...(args.access === "ssm" && { adminSources: agentSources }),
    ...(args.labels && { labels: args.labels }),
    checkRules: (context) => checkRules(args, site.key, context),
    warnings: (all) => [
      ...addressWarnings(args, site.key, all),
      ...imageWarnings(args.image, described, (place) => architectureOf(String(hostArgs(args, place).instanceType))),
    ],
    ...(args.vpc && { networkOption: "vpc.cidr" }),
    names: (context) => plannedNames(args, site.key, context),
    create: (context) => createMachines(args, site.key, context),
    admit: (context: AdmitContext) => admit(args, site.key, commonOf(args, site.key, context), context),
  };
}

function createMachines(args: AwsHostsArgs, site: string, context: HostContext): ReadonlyMap<string, Machine> {
  const common = commonOf(args, site, context);
  const network = siteNetwork(args, common, context);
  const groups = securityGroups(args, args.role, network.vpcId, common, context);
  const surroundings = { common, context, network, securityGroups: groups, seed: keySeed("aws", context) };
  return new Map(context.hosts.map((host) => [host.key, createMachine(args, host, surroundings)]));
}
