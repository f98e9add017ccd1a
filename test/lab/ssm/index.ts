import { SwarmCluster } from "pulumi-swarm";
import * as aws from "pulumi-swarm/aws";

/** A manager on EC2 that nobody can call but through Systems Manager. */
const swarm = new SwarmCluster("ssm", {
  hosts: {
    control: aws.hosts({ role: "manager", region: "eu-west-1", network: "10.236.16.0/20", access: "ssm", iamInstanceProfile: "swarm-host" }),
  },
});

export const dockerHost = swarm.dockerHost;
export const hosts = swarm.hosts;
export const connections = swarm.connections;
