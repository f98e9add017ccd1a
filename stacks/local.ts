import * as pulumi from "@pulumi/pulumi";
import { native, SwarmCluster } from "pulumi-swarm";
import * as local from "pulumi-swarm/local";

/** Three managers on this machine, each a container that is a whole machine. Options: `Pulumi.local.example.yaml`. */
const config = new pulumi.Config();
const managers = config.getNumber("managers") ?? 3;
const workers = config.getNumber("workers") ?? 0;
const image = config.get("image");
const site = config.get("network");
const common = { ...(image !== undefined && { image }), ...(site !== undefined && { network: site }) };

const swarm = new SwarmCluster(config.get("name") ?? "demo", {
  addressSpace: config.get("addressSpace") ?? "10.96.0.0/14",
  overlay: native(),
  hosts: {
    control: local.hosts({ role: "manager", count: managers, ...common }),
    ...(workers > 0 && { edge: local.hosts({ role: "worker", count: workers, ...common }) }),
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
