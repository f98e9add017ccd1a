import { behaviour } from "../../../../components/hosts/aws/behaviour";
import { serve } from "../../../../tools/plugins/shared/server";
import { Account, accountFile } from "../shared/account";
import { Filter } from "../shared/filter";
import { allKept, type Kind } from "../shared/kept";
import { PrivateNetworks } from "../shared/network";
import { Outside } from "../shared/outside";
import { PublishedTypes } from "../shared/published";
import { Store } from "../shared/store";
import { securityGroupRules } from "./filter";
import { getAmi, getAvailabilityZones } from "./images";
import { instance } from "./instance";
import { elasticIp, internetGateway, networkInterface, subnet, vpc } from "./network";
import { egressRule, ingressRule, securityGroup } from "./security-groups";

const types = new PublishedTypes("@pulumi/aws");
const account = new Account(accountFile("aws"));
const store = new Store(account.file);
const outside = new Outside(account);
const networks = new PrivateNetworks(account, outside);
const filter = new Filter("inet cl_security_groups", () => securityGroupRules(store));
const filtered = (kind: Kind): Kind => ({ ...kind, settled: () => filter.apply() });

const kinds: Readonly<Record<keyof typeof behaviour, Kind>> = {
  "aws:ec2/vpc:Vpc": vpc(networks, store),
  "aws:ec2/subnet:Subnet": subnet(store),
  "aws:ec2/internetGateway:InternetGateway": internetGateway(store),
  "aws:ec2/routeTable:RouteTable": { id: "rtb" },
  "aws:ec2/routeTableAssociation:RouteTableAssociation": { id: "rtbassoc" },
  "aws:ec2/securityGroup:SecurityGroup": securityGroup(store),
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": filtered(ingressRule(store)),
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": egressRule,
  "aws:ec2/networkInterface:NetworkInterface": filtered(networkInterface(store)),
  "aws:ec2/eip:Eip": elasticIp(store, outside),
  "aws:ec2/instance:Instance": filtered(instance(store, networks, account)),
};

void serve(
  {
    name: "aws",
    version: "7.48.0",
    config: types.configuration(),
    resources: allKept(behaviour, kinds, types, store),
    functions: { "aws:ec2/getAmi:getAmi": getAmi, "aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones },
  },
  process.argv.slice(2),
);
