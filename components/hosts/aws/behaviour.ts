import type { CloudBehaviour, PropertyBehaviour, Quota } from "../cloud/behaviour";

/** Files of github.com/hashicorp/terraform-provider-aws, v4 to v6, and the docstrings of @pulumi/aws 7.48.0, which lies over v6. */
const ec2 = "internal/service/ec2";
const instance = `${ec2}/ec2_instance.go`;
const face = `${ec2}/vpc_network_interface.go`;
const eip = `${ec2}/ec2_eip.go`;
const vpc = `${ec2}/vpc_.go`;
const subnet = `${ec2}/vpc_subnet.go`;
const gateway = `${ec2}/vpc_internet_gateway.go`;
const routes = `${ec2}/vpc_route_table.go`;
const association = `${ec2}/vpc_route_table_association.go`;
const group = `${ec2}/vpc_security_group.go`;
const rule = `${ec2}/vpc_security_group_ingress_rule.go`;
const api = "docs.aws.amazon.com/AWSEC2/latest/APIReference";

const updates = (source: string, note?: string): PropertyBehaviour => ({ effect: "updates", source, ...(note !== undefined && { note }) });
const replaces = (source: string): PropertyBehaviour => ({ effect: "replaces", source });
/** What the provider computes where the program gives none: left out, it is no change. */
const kept = (row: PropertyBehaviour): PropertyBehaviour => ({ ...row, absent: "kept" });
/** A rule's source. One of another kind, such as a group in the place of a network, is another rule. */
const ruleSource = (note?: string): PropertyBehaviour => ({ ...updates(`${rule}, ModifyPlan`, note), givenByOne: "replaces" });
const quota = (most: number, of: string, source: string): Quota => ({ most, of, source });
/** Of every resource since v6 of the provider, which makes it anew for another one by itself (forceNewIfRegionChanges). */
const region = replaces("@pulumi/aws 7.48.0, region: of each resource");

const egress = {
  region,
  tags: updates(rule),
  securityGroupId: replaces(rule),
  ipProtocol: updates(rule, "by ModifySecurityGroupRules"),
  cidrIpv4: ruleSource("refused with bits beyond its prefix (internal/framework/validators/cidr.go)"),
  cidrIpv6: { ...ruleSource(), readBack: "as EC2 writes it, by RFC 5952 (issue #15982)" },
} as const satisfies Readonly<Record<string, PropertyBehaviour>>;

const ingress = {
  ...egress,
  description: updates(rule),
  fromPort: updates(rule),
  toPort: updates(rule),
  referencedSecurityGroupId: ruleSource(),
} as const satisfies Readonly<Record<string, PropertyBehaviour>>;

/** What AWS and its provider do with what hosts are made of. */
export const behaviour = {
  "aws:ec2/instance:Instance": {
    properties: {
      region,
      tags: updates(instance),
      ami: replaces(instance),
      instanceType: {
        effect: "stops",
        source: `${instance}, modifyInstanceAttributeWithStopStart`,
        note: "another architecture is refused, and so is any change of a one-time spot instance, which cannot be stopped",
      },
      primaryNetworkInterface: replaces(instance),
      userData: { effect: "stops", readBack: "SHA-1 of it", source: `${instance}, user_data`, note: "we ignore its changes" },
      "metadataOptions.httpEndpoint": updates(instance),
      "metadataOptions.httpTokens": updates(instance),
      "metadataOptions.httpPutResponseHopLimit": updates(instance),
      "rootBlockDevice.encrypted": replaces(instance),
      "rootBlockDevice.kmsKeyId": {
        effect: "replaces",
        readBack: "the key's ARN",
        source: `${instance}, readBlockDevicesFromInstance; issue #13761`,
        note: "an id or alias is another text than what is read back, and replaces the instance at every up",
      },
      "rootBlockDevice.volumeType": updates(instance, "by ModifyVolume, once in six hours"),
      "rootBlockDevice.volumeSize": updates(instance, "by ModifyVolume, once in six hours; a smaller one is refused"),
      "rootBlockDevice.tags": updates(instance),
      disableApiTermination: updates(instance, "EC2 takes it of no spot instance"),
      forceDestroy: { effect: "nothing", source: "@pulumi/aws 7.48.0, forceDestroy", note: "read out of the state when the instance is deleted" },
      instanceMarketOptions: replaces(instance),
      iamInstanceProfile: { effect: "updates", absent: "kept", readBack: "its name", source: `${instance}, associateInstanceProfile` },
    },
    deleteRefused: [
      {
        property: "disableApiTermination",
        unless: "forceDestroy",
        when: "it is protected, and the state has no forceDestroy",
        says: "OperationNotPermitted: The instance may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
        source: `${api}/API_TerminateInstances.html; @pulumi/aws 7.48.0, forceDestroy`,
      },
    ],
    quotas: { userDataBytes: quota(16 * 1024, "bytes of user data", `${api}/API_RunInstances.html`) },
  },
  "aws:ec2/networkInterface:NetworkInterface": {
    properties: {
      region,
      tags: updates(face),
      description: updates(face),
      subnetId: replaces(face),
      securityGroups: updates(face),
      sourceDestCheck: updates(face),
      privateIps: { effect: "replaces", absent: "kept", source: `${face}, ForceNewIf private_ips`, note: "of the first address" },
    },
    deleteRefused: [
      {
        when: "an instance has it",
        says: "InvalidParameterValue: Network interface is currently in use.",
        source: `${api}/API_DeleteNetworkInterface.html`,
      },
    ],
    quotas: { securityGroups: quota(5, "security groups of one interface", "docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html") },
  },
  "aws:ec2/eip:Eip": {
    properties: {
      region,
      tags: updates(eip),
      domain: kept(replaces(eip)),
      networkInterface: kept(
        updates(
          `${eip}, resourceEIPUpdate`,
          "taken off the one, then put onto the other; where the state knows the instance (after a refresh), its old id is sent along, which AWS may refuse (#26718)",
        ),
      ),
    },
    deleteRefused: [],
    quotas: {
      perRegion: quota(5, "Elastic IP addresses in a region, until AWS raises it", "docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html"),
    },
  },
  "aws:ec2/vpc:Vpc": {
    properties: { region, tags: updates(vpc), cidrBlock: kept(replaces(vpc)) },
    deleteRefused: [
      {
        when: "anything is in it, still after 20 minutes",
        says: "DependencyViolation: The vpc has dependencies and cannot be deleted.",
        source: `${api}/API_DeleteVpc.html`,
      },
    ],
    quotas: {},
  },
  "aws:ec2/subnet:Subnet": {
    properties: {
      region,
      tags: updates(subnet),
      vpcId: replaces(subnet),
      cidrBlock: kept(replaces(subnet)),
      availabilityZone: kept(replaces(subnet)),
    },
    deleteRefused: [
      {
        when: "an interface is in it, still after 20 minutes",
        says: "DependencyViolation: The subnet has dependencies and cannot be deleted.",
        source: `${api}/API_DeleteSubnet.html`,
      },
    ],
    quotas: {},
  },
  "aws:ec2/internetGateway:InternetGateway": {
    properties: { region, tags: updates(gateway), vpcId: kept(updates(gateway, "detached from the one, attached to the other")) },
    deleteRefused: [
      {
        when: "an address that is in use goes out by it, still after 20 minutes",
        says: "DependencyViolation: Network has some mapped public address(es).",
        source: `${api}/API_DetachInternetGateway.html`,
      },
    ],
    quotas: {},
  },
  "aws:ec2/routeTable:RouteTable": {
    properties: {
      region,
      tags: updates(routes),
      vpcId: replaces(routes),
      routes: kept(updates(routes, "in place: new ones first; an empty list removes them all")),
    },
    deleteRefused: [],
    quotas: {},
  },
  "aws:ec2/routeTableAssociation:RouteTableAssociation": {
    properties: {
      region,
      subnetId: replaces(association),
      routeTableId: updates(association, "by ReplaceRouteTableAssociation, after which it has another id"),
    },
    deleteRefused: [],
    quotas: {},
  },
  "aws:ec2/securityGroup:SecurityGroup": {
    properties: { region, tags: updates(group), name: kept(replaces(group)), description: replaces(group), vpcId: kept(replaces(group)) },
    deleteRefused: [
      {
        when: "an interface is in it, or a rule of another group names it, still after 15 minutes",
        says: "DependencyViolation: resource has a dependent object",
        source: `${api}/API_DeleteSecurityGroup.html`,
      },
    ],
    quotas: {
      rules: quota(60, "rules of one group and family, until AWS raises it", "docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html"),
    },
  },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": { properties: ingress, deleteRefused: [], quotas: {} },
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": { properties: egress, deleteRefused: [], quotas: {} },
} as const satisfies CloudBehaviour;
