import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Transform } from "../../transform";
import type { Bastion } from "../bastion";
import type { HostRole, NumberedHosts } from "../host";
import { either, flag, labels, named, opaque, optional, options, required, text } from "../../options";
import { bastionOptions } from "../bastion";

export type { Bastion as AwsBastion } from "../bastion";

/** Debian's and Canonical's current images, by release. */
export type AwsImage = "debian-13" | "debian-12" | "ubuntu-24.04";

/** Virtual machines of Amazon EC2, in one region, spread over its zones. */
export interface AwsHostsArgs extends NumberedHosts {
  /** What the hosts are in the swarm. */
  readonly role: HostRole;
  /** Such as `eu-west-1`. All groups of a region share one network, and so are one site. */
  readonly region: string;
  /**
   * Letters of the zones over which the hosts go by their numbers: host 1 to the first, host 4 of three zones to the first again.
   * A list that would put a host that stands into another zone is refused: it would be another machine with another address.
   * Not every region and account has a, b and c: where neither this nor `vpc` is given, the account is asked, and the preview names those
   * that it has.
   * @default ["a", "b", "c"], or those of `vpc.subnets`
   */
  readonly zones?: readonly string[];
  /**
   * Size and processor (x86 or Graviton) of the machines. Another type stops the hosts one at a time, each drained before and back
   * in the swarm before the next.
   * @default "t3.medium"
   */
  readonly instanceType?: string;
  /**
   * What the machines boot from. A release is the newest image of it when the host is made, and never changes after: a newer
   * image replaces nothing until `each` says so. An image of your own needs cloud-init, systemd, sudo and an SSH server.
   * @default "debian-13"
   */
  readonly image?:
    | AwsImage
    | {
        /** Such as `ami-0abc…`. */
        readonly id: pulumi.Input<string>;
      };
  /** Size of the root volume in GiB, 8 or more; it can grow later. It is always encrypted. @default 20 */
  readonly diskSize?: number;
  /**
   * ARN of the key that encrypts the root volume, such as `arn:aws:kms:eu-west-1:111122223333:key/0d99…`. An id or alias is refused, since EC2
   * gives it back as the ARN. A host keeps the key that it was made with, and gets another one when it is made anew by `each`.
   * @default - AWS's own for the account
   */
  readonly kmsKeyId?: pulumi.Input<string>;
  /**
   * `elastic`: each host has an Elastic IP address, which outlives it. Other sites need one to call it; so does whoever runs
   * Pulumi from outside. `none`: only in a `vpc` of yours that has its own ways in and out.
   * @default "elastic"
   */
  readonly publicAddress?: "elastic" | "none";
  /** Address with which hosts without one of their own come to other sites, as your NAT gateway shows it. @default - not known */
  readonly natAddress?: string;
  /**
   * How whoever runs Pulumi reaches the hosts. `ssh`: at their addresses, from the networks in `firewall.ssh`. `ssm`: through AWS
   * Systems Manager, whose agent on the host hands the connection to the SSH server there, so that no port of SSH is open to anybody
   * and `firewall.ssh` can be left out. It needs `iamInstanceProfile`, and on the machine that runs Pulumi the AWS CLI with its
   * Session Manager plugin, signed in by its environment. An image of your own must have the agent. Not beside `bastion`.
   * @default "ssh"
   */
  readonly access?: "ssh" | "ssm";
  /** A host to hop over to all of them. @default - dialled directly */
  readonly bastion?: Bastion;
  /**
   * The site's network, made by the stack: a /16 to /21. Zone `a` has its first eighth, `b` the second, so that a zone more
   * moves nothing.
   * @default "10.64.0.0/16"
   */
  readonly network?: string;
  /** A network of yours instead. Nothing of it is changed but for security groups and interfaces in it. @default - one is made */
  readonly vpc?: AwsVpc;
  /** Name of the site, where two networks in one region are two sites. @default - `aws` and the region */
  readonly site?: string;
  /**
   * Largest packet in bytes. EC2 carries 9001 within a network: worth it where all hosts are in one. With other sites, the way to
   * them decides.
   * @default 1500
   */
  readonly mtu?: number;
  /** Largest packet on the way to other sites: more than 1500 only by a peering or transit gateway of yours. @default 1500 */
  readonly mtuOutside?: number;
  /**
   * How many rules a security group takes: your account's quota in the region, where AWS has raised it. A firewall that needs more is
   * refused at preview. The same in all groups of the site.
   * @default 60
   */
  readonly securityGroupRules?: number;
  /**
   * Spare capacity at a lower price, taken away with two minutes' notice. Workers only. EC2 cannot stop such an instance, so that another
   * type needs a host that is made anew by `each`. @default false
   */
  readonly spot?: boolean;
  /**
   * Name of an instance profile, for programs on the hosts that call AWS. Containers cannot ask for its credentials. With
   * `access: "ssm"` its role has to have the policy AmazonSSMManagedInstanceCore.
   * @default - none
   */
  readonly iamInstanceProfile?: pulumi.Input<string>;
  /** Whether nobody but this stack can terminate the instances. @default - true for managers */
  readonly protect?: boolean;
  /** What is otherwise for single hosts, by number: to change one host at a time. @default - all are alike */
  readonly each?: Readonly<Record<number, AwsHostArgs>>;
  /** Swarm node labels of all hosts of the group. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
  /** AWS tags of everything that is made for the group. @default - its name, and the cluster's */
  readonly tags?: Readonly<Record<string, pulumi.Input<string>>>;
  /** The AWS account and its credentials. @default - the one that the stack's configuration describes */
  readonly provider?: aws.Provider;
  /** Last say over the arguments of the resources underneath. @default - they stay as they are */
  readonly transform?: AwsTransform;
}

/** What may be otherwise for one host. */
export interface AwsHostArgs {
  /** Another type stops the machine, changes it and starts it again; of several hosts, one at a time. @default - the group's */
  readonly instanceType?: string;
  /**
   * Any short text, such as a date. Another text makes the machine anew, once: from the newest image, in the zone that `zones`
   * says, with its old name. Of managers, one at a time. Taken out of the program, it changes nothing.
   * @default - the machine stays
   */
  readonly renew?: string;
}

/** A network that you have. Where its CIDR is an `Output`, it is checked as soon as it is known, before anything is made in it. */
export interface AwsVpc {
  /** Such as `vpc-0abc…`. */
  readonly id: pulumi.Input<string>;
  /** All of its network, which must overlap nothing else of the cluster. */
  readonly cidr: pulumi.Input<string>;
  /** By the letter of the zone in which it lies. With `publicAddress: "elastic"` it needs a route to an Internet gateway. */
  readonly subnets: Readonly<Record<string, AwsSubnet>>;
}

/** A subnet of your own network. */
export interface AwsSubnet {
  /** Such as `subnet-0abc…`. */
  readonly id: pulumi.Input<string>;
  /** Hosts' addresses are planned in it where it is a plain text, and given by EC2 where it is an `Output`. */
  readonly cidr: pulumi.Input<string>;
}

/** Last say over the arguments of the resources that make the hosts of a group and what they share. */
export interface AwsTransform {
  /** The network, where the stack makes it. */
  readonly vpc?: Transform<aws.ec2.VpcArgs>;
  /** The network's way to the Internet, where the stack makes it. */
  readonly internetGateway?: Transform<aws.ec2.InternetGatewayArgs>;
  /** The network's routes, where the stack makes them. */
  readonly routeTable?: Transform<aws.ec2.RouteTableArgs>;
  /** The subnet of each zone, where the stack makes it. */
  readonly subnet?: Transform<aws.ec2.SubnetArgs>;
  /** What gives each subnet the routes. */
  readonly routeTableAssociation?: Transform<aws.ec2.RouteTableAssociationArgs>;
  /** Each security group. */
  readonly securityGroup?: Transform<aws.ec2.SecurityGroupArgs>;
  /** Each rule that lets something in. */
  readonly ingressRule?: Transform<aws.vpc.SecurityGroupIngressRuleArgs>;
  /** The rules that let everything out. */
  readonly egressRule?: Transform<aws.vpc.SecurityGroupEgressRuleArgs>;
  /** Each host's network interface. */
  readonly networkInterface?: Transform<aws.ec2.NetworkInterfaceArgs>;
  /** Each host's Elastic IP address. */
  readonly elasticIp?: Transform<aws.ec2.EipArgs>;
  /** Each host's instance. */
  readonly instance?: Transform<aws.ec2.InstanceArgs>;
}

/** The arguments of resources are their provider's. */
export const awsTransformOptions = options<AwsTransform>(
  { of: "transform", thing: "changes of resources", example: "{ instance: { monitoring: true } }" },
  {
    vpc: opaque,
    internetGateway: opaque,
    routeTable: opaque,
    subnet: opaque,
    routeTableAssociation: opaque,
    securityGroup: opaque,
    ingressRule: opaque,
    egressRule: opaque,
    networkInterface: opaque,
    elasticIp: opaque,
    instance: opaque,
  },
);

export const awsHostOptions = options<AwsHostArgs>(
  { of: "a single host", thing: "a single host", example: '{ instanceType: "t3.large" }' },
  { instanceType: optional, renew: optional },
);

export const awsSubnetOptions = options<AwsSubnet>(
  { of: "a subnet", thing: "a subnet", example: '{ id: "subnet-…", cidr: "10.0.1.0/24" }' },
  { id: opaque, cidr: opaque },
);

export const awsVpcOptions = options<AwsVpc>(
  { of: "vpc", thing: "a network of yours", example: '{ id: "vpc-…", cidr: "10.0.0.0/16", subnets: { a: { … } } }' },
  { id: opaque, cidr: opaque, subnets: named(awsSubnetOptions, "subnets by zone", '{ a: { id: "subnet-…", cidr: "10.0.1.0/24" } }') },
);

const imageOptions = options<Exclude<AwsHostsArgs["image"], AwsImage | undefined>>(
  { of: "image", thing: "an image", example: '{ id: "ami-…" }' },
  { id: opaque },
);

export const awsHostsOptions = options<AwsHostsArgs>(
  { of: "aws hosts", thing: "hosts on AWS", example: 'aws.hosts({ role: "worker", region: "eu-west-1" })' },
  {
    role: required,
    count: optional,
    numbers: optional,
    labels,
    region: text,
    zones: optional,
    instanceType: optional,
    image: either(imageOptions),
    diskSize: optional,
    kmsKeyId: opaque,
    publicAddress: optional,
    natAddress: text,
    access: optional,
    bastion: bastionOptions,
    network: text,
    vpc: awsVpcOptions,
    site: text,
    mtu: optional,
    mtuOutside: optional,
    securityGroupRules: optional,
    spot: flag,
    iamInstanceProfile: opaque,
    protect: flag,
    each: named(awsHostOptions, "single hosts by number", '{ 2: { instanceType: "t3.large" } }'),
    tags: named(opaque, "tags by name", '{ team: "web" }'),
    provider: opaque,
    transform: awsTransformOptions,
  },
);
