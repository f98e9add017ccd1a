import { behaviour } from "../../../../components/hosts/aws/behaviour";
import { requiredText, text, texts } from "../../../../tools/plugins/shared/properties";
import { Cidr, isCidr } from "../../../../components/addresses/cidr";
import type { Kind } from "../shared/kept";
import type { PrivateNetworks } from "../shared/network";
import { cidr, type Outside, type PublicAddress } from "../shared/outside";
import type { Store, Stored } from "../shared/store";

/** Addresses that play public ones here: they are routed on this machine and nowhere else. */
const elasticPool = cidr("10.233.255.0/24");

/** A Docker network: subnets are parts of it, and all of them reach each other, as by a VPC's own router. */
export function vpc(networks: PrivateNetworks, store: Store): Kind {
  return {
    id: "vpc",
    async create(id, inputs, context) {
      const range = cidr(requiredText(inputs, "cidrBlock"));
      if (range.prefix < 16 || range.prefix > 28) throw new Error(`InvalidVpc.Range: The CIDR '${range}' is invalid.`);
      const played = await networks.create({ id, bridge: `cl-${id.slice(4, 14)}`, range }, context);
      return { outputs: { arn: `arn:aws:ec2:::vpc/${id}` }, played };
    },
    delete(stored, context) {
      const parts = ["aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/internetGateway:InternetGateway"];
      if (parts.flatMap((part) => store.all(part)).some(({ properties }) => properties["vpcId"] === stored.id))
        throw new Error(behaviour["aws:ec2/vpc:Vpc"].deleteRefused[0].says);
      return networks.delete(stored, context);
    },
  };
}

/** Addresses in use that go out by it. */
export function internetGateway(store: Store): Kind {
  return {
    id: "igw",
    delete({ properties: { vpcId } }) {
      const subnetOf = (face: string): Stored | undefined => store.find(text(store.find(face)?.properties ?? {}, "subnetId") ?? "");
      const faces = store.all("aws:ec2/eip:Eip").flatMap(({ properties }) => text(properties, "networkInterface") ?? []);
      if (faces.some((face) => subnetOf(face)?.properties["vpcId"] === vpcId))
        throw new Error(behaviour["aws:ec2/internetGateway:InternetGateway"].deleteRefused[0].says);
    },
  };
}

/** Keeps what a real one would refuse from passing here. */
export function subnet(store: Store): Kind {
  return {
    id: "subnet",
    create(id, inputs) {
      const whole = store.get(requiredText(inputs, "vpcId"), "InvalidVpcID");
      const block = cidr(requiredText(inputs, "cidrBlock"));
      if (!cidr(requiredText(whole.properties, "cidrBlock")).contains(block)) throw new Error(`InvalidSubnet.Range: The CIDR '${block}' is invalid.`);
      const others = store.all("aws:ec2/subnet:Subnet").filter(({ properties }) => properties["vpcId"] === whole.id);
      const clash = others.find(({ properties }) => cidr(requiredText(properties, "cidrBlock")).overlaps(block));
      if (clash) throw new Error(`InvalidSubnet.Conflict: The CIDR '${block}' conflicts with another subnet (${clash.id})`);
      return { outputs: { arn: `arn:aws:ec2:::subnet/${id}` } };
    },
    delete({ id }) {
      if (store.all("aws:ec2/networkInterface:NetworkInterface").some(({ properties }) => properties["subnetId"] === id))
        throw new Error(behaviour["aws:ec2/subnet:Subnet"].deleteRefused[0].says);
    },
  };
}

const mostSecurityGroups = behaviour["aws:ec2/networkInterface:NetworkInterface"].quotas.securityGroups.most;

export function networkInterface(store: Store): Kind {
  return {
    id: "eni",
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
export function elasticIp(store: Store, outside: Outside): Kind {
  const translate = (): Promise<void> => outside.translate(() => publicAddresses(store));
  const token = "aws:ec2/eip:Eip" as const;
  return {
    id: "eipalloc",
    async create(id, inputs) {
      const face = store.get(requiredText(inputs, "networkInterface"), "InvalidNetworkInterfaceID");
      // An account has as many as AWS gives to everybody, unless its quota was raised.
      const most = Number(process.env["STAND_IN_AWS_ADDRESSES"] ?? behaviour[token].quotas.perRegion.most);
      if (store.all(token).length >= most) throw new Error("AddressLimitExceeded: The maximum number of addresses has been reached.");
      if (store.all("aws:ec2/internetGateway:InternetGateway").length === 0)
        throw new Error("Gateway.NotAttached: the network has no Internet gateway");
      const publicIp = await outside.freeAddress(elasticPool, () => store.all(token).map(({ properties }) => properties["publicIp"]));
      store.put({ id, token, properties: { ...inputs, publicIp } });
      await translate().catch((error: unknown) => {
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
      await translate();
      return { privateIp: text(face.properties, "privateIp") };
    },
    async delete({ id }) {
      store.remove(id);
      await translate();
    },
  };
}

function publicAddresses(store: Store): readonly PublicAddress[] {
  const found = store.all("aws:ec2/eip:Eip").flatMap(({ properties }): [string, PublicAddress][] => {
    const face = store.find(requiredText(properties, "networkInterface"));
    const subnet = face && store.find(requiredText(face.properties, "subnetId"));
    const bridge = subnet && store.find(requiredText(subnet.properties, "vpcId"))?.played?.["bridge"];
    if (!face || bridge === undefined) return [];
    const inside = requiredText(face.properties, "privateIp");
    return [[inside, { inside, outside: requiredText(properties, "publicIp"), bridge }]];
  });
  // An interface has one address: what is given to it later takes the place of what it had.
  return [...new Map(found).values()];
}
