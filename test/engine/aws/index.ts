import { readFileSync } from "node:fs";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster, type SwarmClusterArgs } from "pulumi-swarm";
import * as aws from "pulumi-swarm/aws";

/** A cluster on EC2 as the tests describe it, whose hosts are never dialled. */
interface Spec extends Omit<SwarmClusterArgs, "hosts"> {
  readonly groups: Readonly<Record<string, aws.AwsHostsArgs>>;
  /** CIDR of a VPC of which nobody knows it before the first `up`, as when another program makes it. */
  readonly lateNetwork?: string;
  /** Has Pulumi protect the managers' machines. */
  readonly protect?: boolean;
}

const { groups, lateNetwork, protect = false, ...args } = JSON.parse(readFileSync(new pulumi.Config().require("spec"), "utf8")) as Spec;
const pretend = (said: object): object => ({
  interpreter: ["/bin/sh", "-c"],
  create: `cat >/dev/null; echo '${JSON.stringify(said)}'`,
  delete: "true",
});

function lateVpc(network: string): { readonly vpc: aws.AwsVpc } {
  const cidr = new local.Command("cidr", { create: `echo ${network}` }).stdout;
  return { vpc: { id: "vpc-1", cidr, subnets: { a: { id: "subnet-1", cidr } } } };
}

const place = lateNetwork === undefined ? {} : lateVpc(lateNetwork);
new SwarmCluster(
  "cl",
  {
    ...args,
    hosts: Object.fromEntries(Object.entries(groups).map(([key, group]) => [key, aws.hosts({ ...place, ...group })])),
    transform: {
      intent: pretend({ mark: "mark", generation: 1 }),
      swarm: pretend({ swarmId: "swarm", generation: 1 }),
      nodes: pretend({ hosts: {} }),
      network: pretend({ id: "network" }),
    },
  },
  {
    transforms: [
      ({ type, name, props, opts }) =>
        protect && type === "aws:ec2/instance:Instance" && name.startsWith("cl-control-") ? { props, opts: { ...opts, protect: true } } : undefined,
    ],
  },
);
