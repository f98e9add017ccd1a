import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Transform } from "../../transform";
import type { Bastion } from "../bastion";
import type { HostRole } from "../host";
import type { NumberedHosts } from "../numbered";
import { change, either, flag, labels, lateText, named, optional, options, provider, required, text } from "../../options";
import { bastionOptions } from "../bastion";

export type { Bastion as AwsBastion } from "../bastion";

/** Debian's and Canonical's current images, by release. */
export type AwsImage = "debian-13" | "debian-12" | "ubuntu-24.04";

/** Amazon EC2 instances in one region, spread over its zones. */
export interface AwsHostsArgs extends NumberedHosts {
  /** What the hosts are in the swarm. */
  readonly role: HostRole;
  /** Such as `eu-west-1`. All groups of a region share one network, so they are one site. */
  readonly region: string;
  /**
   * Letters of the zones. Hosts use them by number: host 1 is in the first zone, and with three zones host 4 is in the first
   * again. A list that would put an existing host into another zone is refused, because it would be another machine with another
   * address. Not every region and account has a, b and c. If you set neither this nor `vpc`, the preview asks the account and
   * names the zones that it has.
   * @default ["a", "b", "c"], or those of `vpc.subnets`
   */
  readonly zones?: readonly string[];
  /**
   * Size and processor (x86 or Graviton) of the machines. A change stops the hosts one at a time. Each is drained first, and is
   * back in the swarm before the next one stops.
   * @default "t3.medium"
   */
  readonly instanceType?: string;
  /**
   * What the machines boot from. A release is its newest image when the host is made. The host then keeps it: a newer image
   * replaces nothing until `each` says so. Your own image needs cloud-init, systemd, sudo and an SSH server.
   * @default "debian-13"
   */
  readonly image?:
    | AwsImage
    | {
        /** Such as `ami-0abc…`. */
        readonly id: pulumi.Input<string>;
      };
  /** Size of the root volume in GiB, 8 or more. It can grow later. It is always encrypted. @default 20 */
  readonly diskSize?: number;
  /**
   * ARN of the key that encrypts the root volume, such as `arn:aws:kms:eu-west-1:111122223333:key/0d99…`, in the hosts' region. An id or
   * alias is refused, because EC2 returns it as the ARN. A host keeps the key that it was made with, and gets a new one when `each`
   * replaces it.
   * @default - AWS's own key for the account
   */
  readonly kmsKeyId?: pulumi.Input<string>;
  /**
   * `elastic`: each host has an Elastic IP address, which outlives it. Other sites need it to call the host, and so does Pulumi
   * from outside. `none`: only in your own `vpc` with its own access to and from outside.
   * @default "elastic"
   */
  readonly publicAddress?: "elastic" | "none";
  /**
   * Address that other sites see when hosts without their own public address call them, such as your NAT gateway's.
   * @default - not known
   */
  readonly natAddress?: string;
  /**
   * How Pulumi reaches the hosts. `ssh`: at their addresses, from the networks in `firewall.ssh`. `ssm`: through AWS Systems
   * Manager. Its agent on the host passes the connection to the SSH server there, so no SSH port is open to anybody, and you can
   * omit `firewall.ssh`. It needs `iamInstanceProfile`, and on the machine that runs Pulumi the AWS CLI with its Session Manager
   * plugin, signed in by the environment. Your own image must have the agent. Not together with `bastion`.
   * @default "ssh"
   */
  readonly access?: "ssh" | "ssm";
  /** Jump host for all of them. @default - direct connections */
  readonly bastion?: Bastion;
  /**
   * Number of the key that logs in to these hosts, 1 to 1000. Count it up to change the key: `up` puts the next one on each host beside the one
   * before, proves it by a connection of its own, and then takes the one before off. No machine is replaced, and machines that are made later
   * begin with the new key. All of them follow from one secret in the stack's state. @default 1
   */
  readonly loginKey?: number;
  /**
   * The site's network, made by the stack: a /16 to /21. Zone `a` has its first eighth, `b` the second. Another zone moves
   * nothing.
   * @default "10.64.0.0/16"
   */
  readonly network?: string;
  /** Your own network instead. Only security groups and interfaces are added to it. @default - the stack makes one */
  readonly vpc?: AwsVpc;
  /** Name of the site. Set it if two networks in one region are two sites. @default - `aws` and the region */
  readonly site?: string;
  /**
   * Largest packet in bytes. EC2 carries 9001 within a network, which is useful if all hosts are in one network. With other
   * sites, the path to them decides.
   * @default 1500
   */
  readonly mtu?: number;
  /** Largest packet on the path to other sites. More than 1500 needs your own peering or transit gateway. @default 1500 */
  readonly mtuOutside?: number;
  /**
   * How many rules a security group takes. Set it if AWS has raised your account's quota in the region. The preview refuses a
   * firewall that needs more. It is the same in all groups of the site.
   * @default 60
   */
  readonly securityGroupRules?: number;
  /**
   * Spare capacity at a lower price, which AWS takes away with two minutes' notice. Workers only. EC2 cannot stop such an
   * instance, so another type needs a replacement with `each`.
   * @default false
   */
  readonly spot?: boolean;
  /**
   * Name of an instance profile, for programs on the hosts that call AWS. Containers cannot get its credentials. With
   * `access: "ssm"` its role must have the policy AmazonSSMManagedInstanceCore.
   * @default - none
   */
  readonly iamInstanceProfile?: pulumi.Input<string>;
  /** Whether only this stack can terminate the instances. @default - true for managers */
  readonly protect?: boolean;
  /** Options for single hosts, by number, to change one host at a time. @default - all hosts are alike */
  readonly each?: Readonly<Record<number, AwsHostArgs>>;
  /** Swarm node labels of all hosts of the group. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
  /** AWS tags of everything that is made for the group. @default - the group's name and the cluster's */
  readonly tags?: Readonly<Record<string, pulumi.Input<string>>>;
  /** The AWS account and its credentials. @default - those from the stack's configuration */
  readonly provider?: aws.Provider;
  /** Last changes to the arguments of the underlying resources. @default - they stay as they are */
  readonly transform?: AwsTransform;
}

/** Options for one host. */
export interface AwsHostArgs {
  /** Another type stops the machine, changes it and starts it again. With several hosts, one at a time. @default - the group's */
  readonly instanceType?: string;
  /**
   * Any short text, such as a date. Another text replaces the machine once: from the newest image, in its zone from `zones`, with
   * its old name. Replace managers one at a time. Removing the text changes nothing.
   * @default - the machine stays
   */
  readonly renew?: string;
}

/** Your existing network. If its CIDR is an `Output`, it is checked as soon as it is known, before anything is made in it. */
export interface AwsVpc {
  /** Such as `vpc-0abc…`. */
  readonly id: pulumi.Input<string>;
  /** The range of the whole network. It must not overlap anything else in the cluster. */
  readonly cidr: pulumi.Input<string>;
  /** Subnets by the letter of their zone. With `publicAddress: "elastic"` a subnet needs a route to an Internet gateway. */
  readonly subnets: Readonly<Record<string, AwsSubnet>>;
}

/** A subnet of your own network. */
export interface AwsSubnet {
  /** Such as `subnet-0abc…`. */
  readonly id: pulumi.Input<string>;
  /** If it is a plain string, the hosts' addresses are planned in it. If it is an `Output`, EC2 chooses them. */
  readonly cidr: pulumi.Input<string>;
}

/** Last changes to the arguments of the resources that make a group's hosts and what they share. */
export interface AwsTransform {
  /** The network, if the stack makes it. */
  readonly vpc?: Transform<aws.ec2.VpcArgs>;
  /** The network's Internet gateway, if the stack makes it. */
  readonly internetGateway?: Transform<aws.ec2.InternetGatewayArgs>;
  /** The network's routes, if the stack makes them. */
  readonly routeTable?: Transform<aws.ec2.RouteTableArgs>;
  /** The subnet of each zone, if the stack makes it. */
  readonly subnet?: Transform<aws.ec2.SubnetArgs>;
  /** What connects each subnet to the routes. */
  readonly routeTableAssociation?: Transform<aws.ec2.RouteTableAssociationArgs>;
  /** Each security group. */
  readonly securityGroup?: Transform<aws.ec2.SecurityGroupArgs>;
  /** Each rule that allows incoming traffic. */
  readonly ingressRule?: Transform<aws.vpc.SecurityGroupIngressRuleArgs>;
  /** The rules that allow all outgoing traffic. */
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
    vpc: change,
    internetGateway: change,
    routeTable: change,
    subnet: change,
    routeTableAssociation: change,
    securityGroup: change,
    ingressRule: change,
    egressRule: change,
    networkInterface: change,
    elasticIp: change,
    instance: change,
  },
);

export const awsHostOptions = options<AwsHostArgs>(
  { of: "a single host", thing: "a single host", example: '{ instanceType: "t3.large" }' },
  { instanceType: optional, renew: optional },
);

export const awsSubnetOptions = options<AwsSubnet>(
  { of: "a subnet", thing: "a subnet", example: '{ id: "subnet-…", cidr: "10.0.1.0/24" }' },
  { id: lateText, cidr: lateText },
);

export const awsVpcOptions = options<AwsVpc>(
  { of: "vpc", thing: "your own network", example: '{ id: "vpc-…", cidr: "10.0.0.0/16", subnets: { a: { … } } }' },
  { id: lateText, cidr: lateText, subnets: named(awsSubnetOptions, "subnets by zone", '{ a: { id: "subnet-…", cidr: "10.0.1.0/24" } }') },
);

const imageOptions = options<Exclude<AwsHostsArgs["image"], AwsImage | undefined>>(
  { of: "image", thing: "an image", example: '{ id: "ami-…" }' },
  { id: lateText },
);

const otherNames = {
  ...{ ami: "image", amiId: "image", availabilityZones: "zones", cidr: "network", size: "instanceType", type: "instanceType" },
  ...{ instanceProfile: "iamInstanceProfile", kmsKey: "kmsKeyId", volumeSize: "diskSize", replicas: "count", instances: "count" },
  profile: null,
};

export const awsHostsOptions = options<AwsHostsArgs>(
  { of: "aws hosts", thing: "hosts on AWS", example: 'aws.hosts({ role: "worker", region: "eu-west-1" })', others: otherNames },
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
    kmsKeyId: lateText,
    publicAddress: optional,
    natAddress: text,
    access: optional,
    bastion: bastionOptions,
    loginKey: optional,
    network: text,
    vpc: awsVpcOptions,
    site: text,
    mtu: optional,
    mtuOutside: optional,
    securityGroupRules: optional,
    spot: flag,
    iamInstanceProfile: lateText,
    protect: flag,
    each: named(awsHostOptions, "single hosts by number", '{ 2: { instanceType: "t3.large" } }'),
    tags: named(lateText, "tags by name", '{ team: "web" }'),
    provider,
    transform: awsTransformOptions,
  },
);
