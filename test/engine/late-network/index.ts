import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster } from "pulumi-swarm";
import * as aws from "pulumi-swarm/aws";

/** Hosts in a VPC whose network nobody knows before the first `up`, as when another program makes it. */
const cidr = new local.Command("cidr", { create: `echo ${new pulumi.Config().require("cidr")}` }).stdout;

new SwarmCluster("prod", {
  firewall: { ssh: ["203.0.113.0/24"] },
  hosts: {
    control: aws.hosts({
      role: "manager",
      region: "eu-west-1",
      vpc: { id: "vpc-1", cidr, subnets: { a: { id: "subnet-1", cidr } } },
    }),
  },
});
