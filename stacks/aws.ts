import * as pulumi from "@pulumi/pulumi";
import { native, SwarmCluster } from "pulumi-swarm";
import * as aws from "pulumi-swarm/aws";

/** Three managers over three zones of one region of AWS, and workers. Options: `Pulumi.aws.example.yaml`. */
const config = new pulumi.Config();
const workers = config.getNumber("workers") ?? 2;
const image = config.get("image");
const network = config.get("network");
const zones = config.getObject<string[]>("zones");
const loginKey = config.getNumber("loginKey");
const common = {
  region: config.get("region") ?? "eu-west-1",
  ...(image !== undefined && { image: { id: image } }),
  ...(network !== undefined && { network }),
  ...(zones !== undefined && { zones }),
  ...(loginKey !== undefined && { loginKey }),
};

const swarm = new SwarmCluster(config.get("name") ?? "prod", {
  addressSpace: config.get("addressSpace") ?? "10.96.0.0/14",
  overlay: native(),
  firewall: {
    // Your own networks, this machine's among them: nobody else may log in.
    ssh: config.requireObject<string[]>("ssh"),
    expose: { https: { port: 443, from: ["world"], on: "workers" } },
  },
  hosts: {
    control: aws.hosts({
      role: "manager",
      count: config.getNumber("managers") ?? 3,
      instanceType: config.get("managerType") ?? "t3.medium",
      ...common,
    }),
    ...(workers > 0 && { edge: aws.hosts({ role: "worker", count: workers, instanceType: config.get("workerType") ?? "t3.medium", ...common }) }),
  },
  networks: { web: {}, db: { internal: true } },
});

export const summary = swarm.summary;
export const diagram = swarm.diagram;
export const dockerHost = swarm.dockerHost;
export const swarmId = swarm.swarmId;
export const hosts = swarm.hosts;
export const networks = swarm.networks;
export const connections = swarm.connections;
