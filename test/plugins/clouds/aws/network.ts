import { network } from "../../../../tools/plugins/docker/network";
import { requiredText, text, texts } from "../../../../tools/plugins/shared/properties";
import { Cidr, isCidr } from "../../../../components/network/cidr";
import type { Kind } from "../shared/kept";
import type { Store } from "../shared/store";
import { runProgram } from "./program";

/** Addresses that play public ones here: they are routed on this machine and nowhere else. */
const elasticPool = cidr(process.env["STAND_IN_PUBLIC"] ?? "10.233.255.0/24");

function cidr(text: string): Cidr {
  const parsed = Cidr.parse(text);
  if (!isCidr(parsed)) throw new Error(parsed.problem);
  return parsed;
}

export function networkName(vpcId: string): string {
  return `cl-${vpcId}`;
}

/** A Docker network: subnets are parts of it, and all of them reach each other, as by a VPC's own router. */
export const vpc: Kind = {
  prefix: "vpc",
  replaces: ["cidrBlock"],
  async create(id, inputs, context) {
    const block = cidr(requiredText(inputs, "cidrBlock"));
    if (block.prefix < 16 || block.prefix > 28) throw new Error(`InvalidVpc.Range: The CIDR '${block}' is invalid.`);
    const ipam = [{ subnet: block.toString(), gateway: block.address(1) }];
    const bridge = `cl-${id.slice(4, 14)}`;
    const options = { "com.docker.network.bridge.name": bridge };
    const made = await network.create({ name: networkName(id), driver: "bridge", ipamConfigs: ipam, options }, context);
    return { outputs: { arn: `arn:aws:ec2:::vpc/${id}` }, played: { network: made.id, bridge } };
  },
  async delete({ id, played }, context) {
    await network.delete(played?.["network"] ?? networkName(id), { name: networkName(id) }, context);
  },
};

/** Keeps what a real one would refuse from passing here. */
export function subnet(store: Store): Kind {
  return {
    prefix: "subnet",
    replaces: ["vpcId", "cidrBlock", "availabilityZone"],
    create(id, inputs) {
      const whole = store.get(requiredText(inputs, "vpcId"), "InvalidVpcID");
      const block = cidr(requiredText(inputs, "cidrBlock"));
      if (!cidr(requiredText(whole.properties, "cidrBlock")).contains(block)) throw new Error(`InvalidSubnet.Range: The CIDR '${block}' is invalid.`);
      const others = store.all("aws:ec2/subnet:Subnet").filter(({ properties }) => properties["vpcId"] === whole.id);
      const clash = others.find(({ properties }) => cidr(requiredText(properties, "cidrBlock")).overlaps(block));
      if (clash) throw new Error(`InvalidSubnet.Conflict: The CIDR '${block}' conflicts with another subnet (${clash.id})`);
      return { outputs: { arn: `arn:aws:ec2:::subnet/${id}` } };
    },
  };
}

const mostSecurityGroups = 5;

export function networkInterface(store: Store): Kind {
  return {
    prefix: "eni",
    replaces: ["subnetId"],
    create(id, inputs) {
      const within = cidr(requiredText(store.get(requiredText(inputs, "subnetId"), "InvalidSubnetID").properties, "cidrBlock"));
      const groups = texts(inputs, "securityGroups") ?? [];
      for (const group of groups) store.get(group, "InvalidGroup");
      if (groups.length > mostSecurityGroups) throw new Error(`SecurityGroupsPerInterfaceLimitExceeded: ${groups.length} of ${mostSecurityGroups}`);
      const taken = store.all("aws:ec2/networkInterface:NetworkInterface").map(({ properties }) => properties["privateIp"]);
      const kept = [0, 1, 2, 3, Number(within.size) - 1].map((offset) => within.address(offset));
      const free = Array.from({ length: Number(within.size) }, (_, offset) => within.address(offset)).find(
        (one) => !taken.includes(one) && !kept.includes(one),
      );
      const [asked = free ?? ""] = texts(inputs, "privateIps") ?? [];
      const address = Cidr.parse(`${asked}/32`);
      if (!isCidr(address) || !within.contains(address))
        throw new Error(`InvalidParameterValue: Address ${asked} does not fall within the subnet's address range`);
      if (kept.includes(asked)) throw new Error(`InvalidParameterValue: Address ${asked} is in subnet's reserved address range`);
      if (taken.includes(asked)) throw new Error(`InvalidIPAddress.InUse: Address ${asked} is in use.`);
      return {
        outputs: {
          arn: `arn:aws:ec2:::network-interface/${id}`,
          privateIp: asked,
          privateDnsName: `ip-${asked.replaceAll(".", "-")}`,
          ownerId: "000000000000",
        },
      };
    },
    delete({ id }) {
      const user = store.all("aws:ec2/instance:Instance").find(({ properties }) => properties["primaryNetworkInterfaceId"] === id);
      if (user) throw new Error(`InvalidParameterValue: Network interface '${id}' is currently in use (${user.id}).`);
    },
  };
}

/** An address outside, translated one to one: the machine itself never sees it. */
export function elasticIp(store: Store): Kind {
  const token = "aws:ec2/eip:Eip";
  return {
    prefix: "eipalloc",
    replaces: ["domain"],
    async create(id, inputs) {
      const face = store.get(requiredText(inputs, "networkInterface"), "InvalidNetworkInterfaceID");
      if (store.all("aws:ec2/internetGateway:InternetGateway").length === 0)
        throw new Error("Gateway.NotAttached: the network has no Internet gateway");
      const taken = store.all(token).map(({ properties }) => properties["publicIp"]);
      const publicIp = Array.from({ length: 250 }, (_, offset) => elasticPool.address(offset + 1)).find((one) => !taken.includes(one)) ?? "";
      store.put({ id, token, properties: { ...inputs, publicIp } });
      await translate(store).catch((error: unknown) => {
        store.remove(id);
        throw error;
      });
      return {
        outputs: {
          allocationId: id,
          publicIp,
          privateIp: text(face.properties, "privateIp"),
          associationId: `eipassoc-${id.slice(9)}`,
          arn: `arn:aws:ec2:::eip/${id}`,
        },
      };
    },
    async update(before, inputs) {
      const face = store.get(requiredText(inputs, "networkInterface"), "InvalidNetworkInterfaceID");
      store.put({ ...before, properties: { ...before.properties, ...inputs } });
      await translate(store);
      return { privateIp: text(face.properties, "privateIp") };
    },
    async delete({ id }) {
      store.remove(id);
      await translate(store);
    },
  };
}

let translating: Promise<void> = Promise.resolve();

/** One table for all addresses, made anew each time. Several addresses come at once. */
function translate(store: Store): Promise<void> {
  translating = translating.catch(() => undefined).then(() => writeTable(store));
  return translating;
}

async function writeTable(store: Store): Promise<void> {
  // An interface has one address: what is given to it later takes the place of what it had.
  const outside = new Map(
    store.all("aws:ec2/eip:Eip").flatMap(({ properties }) => {
      const face = store.find(requiredText(properties, "networkInterface"));
      return face ? [[requiredText(face.properties, "privateIp"), requiredText(properties, "publicIp")] as const] : [];
    }),
  );
  const pairs = [...outside].map(([inside, address]) => ({ inside, outside: address }));
  const vpcs = store.all("aws:ec2/vpc:Vpc");
  const table = process.env["STAND_IN_TABLE"] ?? "cl_aws";
  const name = (address: string, other: string): string => `${address} : ${other}`;
  const rules =
    pairs.length === 0
      ? []
      : [
          `add table ip ${table} {`,
          ` chain out { type nat hook output priority -110; dnat to ip daddr map { ${pairs.map((one) => name(one.outside, one.inside)).join(", ")} }; }`,
          ` chain in { type nat hook prerouting priority -110; dnat to ip daddr map { ${pairs.map((one) => name(one.outside, one.inside)).join(", ")} }; }`,
          ` chain back { type nat hook postrouting priority 90; ct status dnat snat to ip saddr map { ${pairs.map((one) => name(one.inside, one.outside)).join(", ")} }; }`,
          "}",
        ];
  await runProgram("nft", ["-f", "-"], [`add table ip ${table}`, `delete table ip ${table}`, ...rules].join("\n"));
  const [first] = vpcs;
  if (first && pairs.length > 0) await runProgram("ip", ["route", "replace", elasticPool.toString(), "dev", first.played?.["bridge"] ?? ""]);
}
