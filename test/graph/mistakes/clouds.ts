import type { Rows } from "./javascript";

/** What newcomers write of hosts of clouds. */
export const clouds: Rows = [
  ["a region that is no region", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "europe" }) }`],
  ["no region", `hosts: { control: aws.hosts({ role: "manager", count: 3 }) }`],
  ["a zone with its region", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", zones: ["eu-west-1a"] }) }`],
  ["a key's alias", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", kmsKeyId: "alias/prod" }) }`],
  ["an instance type that is none", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", instanceType: "large" }) }`],
  ["a disk's size with a unit", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", diskSize: "20GB" }) }`],
  ["an access that there is not", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", access: "session-manager" }) }`],
  ["a location by its city", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, location: "Falkenstein" }) }`],
  ["locations of two zones", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, locations: ["fsn1", "ash"] }) }`],
  [
    "a machine of its own for a host that there is not",
    `hosts: { control: hetzner.hosts({ role: "manager", count: 3, location: "fsn1", each: { 9: { serverType: "cpx31" } } }) }`,
  ],
  [
    "a key of another region",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", kmsKeyId: "arn:aws:kms:eu-central-1:111122223333:key/0d990263-018e-4e65-a703-eff731de951e" }) }`,
  ],
  ["a zone for a region", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1a" }) }`],
  ["a region in capitals", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "EU-WEST-1" }) }`],
  ["your own network by its id", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: "vpc-0abc" }) }`],
  [
    "your own network without its id",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { cidr: "10.30.0.0/16", subnets: { a: { id: "subnet-1", cidr: "10.30.1.0/24" } } } }) }`,
  ],
  [
    "your own network without its addresses",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { id: "vpc-1", subnets: { a: { id: "subnet-1", cidr: "10.30.1.0/24" } } } }) }`,
  ],
  [
    "your own network with a bare address",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { id: "vpc-1", cidr: "10.30.0.0", subnets: { a: { id: "subnet-1", cidr: "10.30.1.0/24" } } } }) }`,
  ],
  [
    "your own network without subnets",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { id: "vpc-1", cidr: "10.30.0.0/16" } }) }`,
  ],
  [
    "a subnet without its id",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { id: "vpc-1", cidr: "10.30.0.0/16", subnets: { a: { cidr: "10.30.1.0/24" } } } }) }`,
  ],
  [
    "a subnet without its addresses",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { id: "vpc-1", cidr: "10.30.0.0/16", subnets: { a: { id: "subnet-1" } } } }) }`,
  ],
  [
    "a subnet by its id",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { id: "vpc-1", cidr: "10.30.0.0/16", subnets: { a: "subnet-1" } } }) }`,
  ],
  [
    "a subnet by its whole zone",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { id: "vpc-1", cidr: "10.30.0.0/16", subnets: { "eu-west-1a": { id: "subnet-1", cidr: "10.30.1.0/24" } } } }) }`,
  ],
  [
    "a subnet outside of its network",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { id: "vpc-1", cidr: "10.30.0.0/16", subnets: { a: { id: "subnet-1", cidr: "10.31.1.0/24" } } } }) }`,
  ],
  [
    "two ids the wrong way round",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", vpc: { id: "subnet-1", cidr: "10.30.0.0/16", subnets: { a: { id: "vpc-1", cidr: "10.30.1.0/24" } } } }) }`,
  ],
  ["an image by its id alone", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", image: "ami-0abc" }) }`],
  ["an image without an id", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", image: { id: "" } }) }`],
  ["a release as your own image", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", image: { id: "debian-13" } }) }`],
  ["an instance profile without a name", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", iamInstanceProfile: "" }) }`],
  [
    "an instance profile's ARN",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", iamInstanceProfile: "arn:aws:iam::111122223333:instance-profile/web" }) }`,
  ],
  ["a tag that is a number", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", tags: { team: 7 } }) }`],
  ["an instance type in capitals", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", instanceType: "T3.medium" }) }`],
  ["packets that EC2 does not carry", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", mtu: 9100 }) }`],
  ["zones as a text", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", zones: "a" }) }`],
  ["ami, as other tools say it", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", ami: "ami-0abc" }) }`],
  [
    "single hosts in a list",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", each: [{ instanceType: "t3.large" }] }) }`,
  ],
  ["a provider by its name", `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", provider: "eu" }) }`],
  [
    "a change of resources that is none",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", transform: { instance: 5 } }) }`,
  ],
  [
    "a bastion without a key",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", bastion: { address: "192.0.2.1", hostKey } }) }`,
  ],
  ["a Hetzner label that is a number", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, hcloudLabels: { team: 7 } }) }`],
  ["a Hetzner label with a blank", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, hcloudLabels: { team: "a b" } }) }`],
  ["a data centre for a location", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, location: "fsn1-dc14" }) }`],
  ["a network zone for a location", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, location: "eu-central" }) }`],
  ["locations in the option for one", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, location: ["fsn1", "nbg1"] }) }`],
  ["one location in the option for several", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, locations: "fsn1" }) }`],
  ["a server type in capitals", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, serverType: "CX23" }) }`],
  ["a server type of another cloud", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, serverType: "t3.medium" }) }`],
  ["a private network by its id", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, privateNetwork: 4711 }) }`],
  ["a private network without its addresses", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, privateNetwork: { id: "4711" } }) }`],
  [
    "renewal of a server that is protected",
    `hosts: { control: hetzner.hosts({ role: "manager", count: 3, protect: true, each: { 2: { renew: "a" } } }) }`,
  ],
  ["a token among the options", `hosts: { control: hetzner.hosts({ role: "manager", count: 3, token: "secret" }) }`],
];
