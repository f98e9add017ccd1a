import { serve } from "../../../../tools/plugins/shared/server";
import { kept, type Kind } from "../shared/kept";
import { PublishedTypes } from "../shared/published";
import { accountFile, Store } from "../shared/store";
import { Filter } from "./filter";
import { getAmi } from "./images";
import { instance } from "./instance";
import { elasticIp, networkInterface, subnet, vpc } from "./network";
import { ingressRule } from "./security-groups";

const types = new PublishedTypes("@pulumi/aws");
const store = new Store(accountFile("aws"));
const filter = new Filter(store);
const filtered = (kind: Kind): Kind => ({ ...kind, settled: () => filter.apply() });

const kinds: Readonly<Record<string, Kind>> = {
  "aws:ec2/vpc:Vpc": vpc,
  "aws:ec2/subnet:Subnet": subnet(store),
  "aws:ec2/internetGateway:InternetGateway": { prefix: "igw", replaces: [] },
  "aws:ec2/routeTable:RouteTable": { prefix: "rtb", replaces: ["vpcId"] },
  "aws:ec2/routeTableAssociation:RouteTableAssociation": { prefix: "rtbassoc", replaces: ["subnetId"] },
  "aws:ec2/securityGroup:SecurityGroup": { prefix: "sg", replaces: ["name", "description", "vpcId"] },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": filtered(ingressRule(store)),
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": { prefix: "sgr", replaces: ["securityGroupId"] },
  "aws:ec2/networkInterface:NetworkInterface": filtered(networkInterface(store)),
  "aws:ec2/eip:Eip": elasticIp(store),
  "aws:ec2/instance:Instance": filtered(instance(store)),
};

void serve(
  {
    name: "aws",
    version: "7.48.0",
    config: types.configuration(),
    resources: Object.fromEntries(Object.entries(kinds).map(([token, kind]) => [token, kept(token, types, store, kind)])),
    functions: { "aws:ec2/getAmi:getAmi": getAmi },
  },
  process.argv.slice(2),
);
