import { Cidr, isCidr } from "../../addresses/cidr";
import { isNot, show } from "../../report";
import { checkBastionAndKey } from "../bastion";
import { checkEach } from "../cloud/each";
import { checkLoginKey } from "../cloud/keys";
import type { HostDescription } from "../host";
import type { Problem } from "../../report";
import type { AwsHostsArgs } from "./args";
import { defaults } from "./defaults";

/** All that is wrong with the arguments, but for zones and subnets. A program without types may give anything. */
export function checkArgs(args: AwsHostsArgs, hosts: readonly HostDescription[]): Problem[] {
  return [
    ...checkPlace(args),
    ...checkMachines(args),
    ...checkEach(args.each, hosts, ({ instanceType }, path) => checkGivenType(instanceType, `${path}.instanceType`)),
    ...checkReach(args),
    ...checkQuota(args),
    ...checkAccess(args),
    ...checkLoginKey(args.loginKey),
  ];
}

/** Jumbo frames: "Network MTU for your EC2 instance" in Amazon's guide. */
const mostMtu = 9001;

function checkPlace(args: AwsHostsArgs): Problem[] {
  const problems: Problem[] = [];
  if (typeof args.region !== "string" || !/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(args.region)) {
    const meant = /^[a-z]{2,}(?:-[a-z]+)+-\d+(?=[a-z]?$)/.exec(String(args.region).trim().toLowerCase())?.[0];
    problems.push({
      path: "region",
      message: isNot(args.region, "a region"),
      fix: `write ${meant === undefined ? "its name, such as " : ""}"${meant ?? "eu-west-1"}"`,
    });
  }
  if (typeof args.mtu === "number" && args.mtu > mostMtu) {
    problems.push({ path: "mtu", message: `EC2's networks carry ${mostMtu} bytes, not ${args.mtu}`, fix: "leave it out, or give less" });
  }
  if (args.vpc !== undefined && args.network !== undefined) {
    problems.push({ path: "network", message: "network and vpc are both given", fix: "keep network to have one made, or vpc to use yours" });
  }
  const own = Cidr.parse(args.vpc === undefined ? (args.network ?? defaults.network) : "");
  // A VPC is a /16 at most. Of a /21 a zone has a /24, in which there is room for three groups.
  if (isCidr(own) && (own.prefix < 16 || own.prefix > 21)) {
    problems.push({ path: "network", message: `${own} cannot be cut into zones`, fix: "take a /16 to /21" });
  }
  return problems;
}

const releases: readonly string[] = ["debian-13", "debian-12", "ubuntu-24.04"];

function checkMachines(args: AwsHostsArgs): Problem[] {
  const problems: Problem[] = [];
  const { image = defaults.image, diskSize } = args;
  problems.push(...checkGivenType(args.instanceType, "instanceType"));
  if (typeof image === "string" ? !releases.includes(image) : image?.id === undefined) {
    const ami = typeof image === "string" && image.startsWith("ami-");
    problems.push({
      path: "image",
      message: `${show(image)} is not an image`,
      fix: ami ? `write image: { id: "${image}" }` : 'write "debian-13", "debian-12", "ubuntu-24.04" or { id: "ami-…" }',
    });
  }
  problems.push(...checkImageId(image), ...checkProfile(args));
  if (diskSize !== undefined && !(Number.isInteger(diskSize) && diskSize >= 8 && diskSize <= 16_384)) {
    problems.push({
      path: "diskSize",
      message: typeof diskSize === "number" ? `${diskSize} GiB are not a size for a root volume` : `${show(diskSize)} is not a number of GiB`,
      fix: gibibytes(diskSize) ?? "give a whole number from 8 to 16384",
    });
  }
  if (typeof args.kmsKeyId === "string" && !isKeyArn(args.kmsKeyId)) {
    problems.push({ path: "kmsKeyId", message: `${show(args.kmsKeyId)} is not a key's ARN`, fix: howToKeyArn });
  } else if (typeof args.kmsKeyId === "string" && args.kmsKeyId.split(":")[3] !== args.region) {
    const message = `the key is in ${args.kmsKeyId.split(":")[3]}, and the hosts are in ${args.region}: a volume takes keys of its own region alone`;
    problems.push({ path: "kmsKeyId", message, fix: `give a key of ${args.region}, or leave it out for AWS's own` });
  }
  if (args.spot === true && args.role === "manager") {
    problems.push({
      path: "spot",
      message: "EC2 takes spot instances away, and the swarm would lose its managers",
      fix: "leave spot out, or make the group workers",
    });
  }
  if (args.spot === true && args.protect === true) {
    problems.push({ path: "protect", message: "EC2 does not protect spot instances from being terminated", fix: "keep one of spot and protect" });
  }
  return problems;
}

function checkImageId(image: AwsHostsArgs["image"]): Problem[] {
  const id: unknown = typeof image === "object" ? image?.id : undefined;
  if (typeof id !== "string") return [];
  if (releases.includes(id)) return [{ path: "image.id", message: `${show(id)} is a release, and not your own image`, fix: `write image: "${id}"` }];
  return id === "" ? [{ path: "image.id", message: '"" is not an image', fix: 'write its id, such as "ami-0abc…"' }] : [];
}

function checkProfile({ iamInstanceProfile: profile }: AwsHostsArgs): Problem[] {
  if (typeof profile !== "string") return [];
  const [, name] = /^arn:.*:instance-profile\/(?:.*\/)?(.+)$/.exec(profile) ?? [];
  const path = "iamInstanceProfile";
  if (name !== undefined) return [{ path, message: `${show(profile)} is an ARN, and the profile's name is needed`, fix: `write "${name}"` }];
  return profile === "" ? [{ path, message: '"" is not the name of an instance profile', fix: "write its name, or leave it out" }] : [];
}

/** Of a text with its unit. */
function gibibytes(size: unknown): string | undefined {
  const number = Number(/^(\d+) *(?:G|GB|GiB|Gi)?$/i.exec(String(size))?.[1]);
  return typeof size === "string" && number >= 8 && number <= 16_384 ? `write ${number}` : undefined;
}

/** EC2 takes a key's id and aliases too, and gives all of them back as this. */
export function isKeyArn(key: unknown): boolean {
  return typeof key === "string" && /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/.test(key);
}

export const howToKeyArn =
  'give what "aws kms describe-key --key-id KEY --query KeyMetadata.Arn --output text" prints, with the key\'s id or alias as KEY: ' +
  "EC2 gives an id or alias back as the ARN, and each up would replace all hosts";

function checkGivenType(type: unknown, path: string): Problem[] {
  if (type === undefined) return [];
  if (typeof type === "string" && /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(type) && !type.startsWith("mac")) return [];
  const small = typeof type === "string" ? type.trim().toLowerCase() : "";
  const meant = small !== type && small !== "" && checkGivenType(small, path).length === 0;
  return [
    {
      path,
      message: `${show(type)} is not an instance type for Linux`,
      fix: meant ? `write "${small}"` : 'write one such as "t3.medium" or "t4g.medium"',
    },
  ];
}

/** AWS raises the quota until a network interface's rules in all groups are 1000. */
export function isQuota(most: unknown): most is number {
  return typeof most === "number" && Number.isInteger(most) && most >= 1 && most <= 1000;
}

function checkQuota({ securityGroupRules: most }: AwsHostsArgs): Problem[] {
  if (most === undefined || isQuota(most)) return [];
  return [
    {
      path: "securityGroupRules",
      message: `${show(most)} is not a quota of rules`,
      fix: "give a whole number from 1 to 1000, as Service Quotas shows it, or leave it out",
    },
  ];
}

function checkReach(args: AwsHostsArgs): Problem[] {
  const { publicAddress, natAddress, vpc } = args;
  const problems: Problem[] = [];
  if (publicAddress !== undefined && publicAddress !== "elastic" && publicAddress !== "none") {
    problems.push({ path: "publicAddress", message: `${show(publicAddress)} is no way to an address`, fix: 'write "elastic" or "none"' });
  }
  if (publicAddress === "none" && vpc === undefined) {
    problems.push({
      path: "publicAddress",
      message: "hosts without a public address could neither be reached nor fetch anything: the network that is made for them has no other way out",
      fix: "leave it out, or give your own vpc, with a NAT gateway for its subnets",
    });
  }
  const address = natAddress === undefined ? undefined : Cidr.parse(`${natAddress}/32`);
  if (address && !isCidr(address)) {
    problems.push({
      path: "natAddress",
      message: `${show(natAddress)} is not an IPv4 address`,
      fix: "give the NAT gateway's public IPv4 address, or leave it out",
    });
  }
  if (natAddress !== undefined && publicAddress !== "none") {
    problems.push({ path: "natAddress", message: "the hosts have public addresses of their own", fix: 'leave it out, or set publicAddress: "none"' });
  }
  return problems;
}

function checkAccess({ access, iamInstanceProfile, bastion }: AwsHostsArgs): Problem[] {
  if (access === undefined || access === "ssh") return bastion ? checkBastionAndKey(bastion) : [];
  if (access !== "ssm") return [{ path: "access", message: `${show(access)} is no way to the hosts`, fix: 'write "ssh" or "ssm"' }];
  const problems: Problem[] = [];
  if (iamInstanceProfile === undefined) {
    problems.push({
      path: "iamInstanceProfile",
      message: "Systems Manager does not serve hosts without an instance profile, so they could not be reached",
      fix: 'give one whose role has the policy AmazonSSMManagedInstanceCore, or set access: "ssh"',
    });
  }
  if (bastion)
    problems.push({ path: "bastion", message: "hosts behind Systems Manager are reached without one", fix: 'leave it out, or set access: "ssh"' });
  return problems;
}
