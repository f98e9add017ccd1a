import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { transformed } from "../../transform";
import { onceClear } from "../cloud/given";
import type { HostContext } from "../host";
import type { AwsHostsArgs, AwsVpc } from "./args";
import type { Common } from "./names";
import { defaults } from "./defaults";
import { ownZone } from "./plan";
import { zonesThere } from "./zones";

/** Where hosts are put. */
export interface SiteNetwork {
  readonly vpcId: pulumi.Input<string>;
  /** Once it is certain that nothing planned lies on the network. */
  readonly subnet: (zone: string) => SiteSubnet;
  /** What a public address needs before it can be used, and has to outlive it. */
  readonly gateway: readonly pulumi.Resource[];
}

export interface SiteSubnet {
  readonly id: pulumi.Output<string>;
  /** What has to be there before anything in it can be reached. */
  readonly ready: readonly pulumi.Resource[];
}

/** One for all groups of the site: the first of them says what it is like. */
export function siteNetwork(args: AwsHostsArgs, common: Common, context: HostContext): SiteNetwork {
  const { vpc } = args;
  return context.shared(common.once("network"), () => (vpc === undefined ? ownNetwork(args, common, context) : givenNetwork(vpc, context)));
}

/** A VPC with a way out, whose zones' subnets are made as hosts need them. */
function ownNetwork(args: AwsHostsArgs, common: Common, context: HostContext): SiteNetwork {
  const { network = defaults.network, transform } = args;
  const there = zonesThere(args, common, context);
  const { region, named, tags } = common;
  const options = common.options(context.parent);
  const base = { region, tags: tags(named()) };
  const vpc = new aws.ec2.Vpc(named(), transformed(transform?.vpc, { ...base, cidrBlock: network }), options);
  const gateway = new aws.ec2.InternetGateway(named(), transformed(transform?.internetGateway, { ...base, vpcId: vpc.id }), options);
  const routes = new aws.ec2.RouteTable(
    named(),
    transformed(transform?.routeTable, { ...base, vpcId: vpc.id, routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }] }),
    options,
  );
  const subnet = (zone: string): SiteSubnet => {
    const name = named(zone);
    const { network: cidrBlock = "" } = ownZone(zone, network);
    const place = { region, tags: tags(name), vpcId: vpc.id, cidrBlock, availabilityZone: there.apply(() => `${region}${zone}`) };
    const made = new aws.ec2.Subnet(name, transformed(transform?.subnet, place), options);
    const route = { region, subnetId: made.id, routeTableId: routes.id };
    const association = new aws.ec2.RouteTableAssociation(name, transformed(transform?.routeTableAssociation, route), options);
    return { id: made.id, ready: [association] };
  };
  return {
    vpcId: vpc.id,
    gateway: [gateway],
    subnet: (zone) => context.shared(common.once(`subnet ${zone}`), () => subnet(zone)),
  };
}

function givenNetwork(vpc: AwsVpc, context: HostContext): SiteNetwork {
  const clear = onceClear(vpc.cidr, context);
  return {
    vpcId: clear(vpc.id),
    gateway: [],
    subnet: (zone) => ({ id: clear(vpc.subnets[zone]?.id ?? ""), ready: [] }),
  };
}
