import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster, wireguard } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";

/** Hosts that stand already, Docker on them: what is left is all ours. */
const config = new pulumi.Config();
const machines = JSON.parse(readFileSync(config.require("machines"), "utf8")) as Record<string, existing.ExistingMachine>;
const privateKey = config.requireSecret("privateKey");
const [managers, workers] = [Object.entries(machines).slice(0, 3), Object.entries(machines).slice(3)];
const expose = config.getObject<Record<string, { port: number; from: string[] }>>("expose");
const settings = config.getObject<Record<string, number>>("settings");
const common = { privateKey, site: "bench" };

const swarm = new SwarmCluster("bench", {
  firewall: { ssh: [config.get("admin") ?? "10.220.0.1/32"], ...(expose && { expose }) },
  ...(settings && { engine: { settings } }),
  ...(config.get("underlay") === "wireguard" && { underlay: wireguard() }),
  hosts: {
    control: existing.hosts({ role: "manager", machines: Object.fromEntries(managers), ...common }),
    ...(workers.length > 0 && { edge: existing.hosts({ role: "worker", machines: Object.fromEntries(workers), ...common }) }),
  },
  networks: { bench: { subnet: "10.98.77.0/24" } },
});

export const swarmId = swarm.swarmId;
