import * as pulumi from "@pulumi/pulumi";
import { native, SwarmCluster, wireguard } from "pulumi-swarm";
import * as aws from "pulumi-swarm/aws";
import * as existing from "pulumi-swarm/existing";
import * as hetzner from "pulumi-swarm/hetzner";

/**
 * A manager on AWS, one at Hetzner and one on a machine of yours, so that no site's loss takes the quorum; workers on both clouds.
 * All hosts meet in an encrypted mesh. Options: `Pulumi.hybrid.example.yaml`; what it makes: `docs/hybrid.md`.
 */
const config = new pulumi.Config();
const awsWorkers = config.getNumber("awsWorkers") ?? 1;
const hetznerWorkers = config.getNumber("hetznerWorkers") ?? 1;
const awsNetwork = config.get("awsNetwork");
const hetznerNetwork = config.get("hetznerNetwork");
const machineNetwork = config.get("machineNetwork");
const awsImage = config.get("awsImage");
const hetznerImage = config.get("hetznerImage");
const onAws = {
  region: config.get("awsRegion") ?? "eu-central-1",
  instanceType: config.get("awsType") ?? "t3.medium",
  ...(awsImage !== undefined && { image: { id: awsImage } }),
  ...(awsNetwork !== undefined && { network: awsNetwork }),
};
const atHetzner = {
  location: config.get<hetzner.HetznerLocation>("hetznerLocation") ?? "fsn1",
  serverType: config.get("hetznerType") ?? "cx23",
  ...(hetznerImage !== undefined && { image: { id: hetznerImage } }),
  ...(hetznerNetwork !== undefined && { network: hetznerNetwork }),
};

const swarm = new SwarmCluster(config.get("name") ?? "prod", {
  addressSpace: config.get("addressSpace") ?? "10.96.0.0/14",
  underlay: wireguard(),
  overlay: native(),
  firewall: {
    // Your own networks, this machine's among them: nobody else may log in.
    ssh: config.requireObject<string[]>("ssh"),
    expose: { https: { port: 443, from: ["world"], on: "workers" } },
  },
  hosts: {
    aws: aws.hosts({ role: "manager", ...onAws }),
    hetzner: hetzner.hosts({ role: "manager", ...atHetzner }),
    own: existing.hosts({
      role: "manager",
      machines: config.requireObject<Record<string, existing.ExistingMachine>>("machines"),
      user: config.get("machineUser") ?? "root",
      privateKey: config.requireSecret("machineKey"),
      ...(machineNetwork !== undefined && { network: machineNetwork }),
    }),
    ...(awsWorkers > 0 && { "edge-aws": aws.hosts({ role: "worker", count: awsWorkers, ...onAws }) }),
    ...(hetznerWorkers > 0 && { "edge-hetzner": hetzner.hosts({ role: "worker", count: hetznerWorkers, ...atHetzner }) }),
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
