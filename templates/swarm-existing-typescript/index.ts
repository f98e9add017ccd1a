import { readFileSync } from "node:fs";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";

const config = new pulumi.Config();
const keyFile = config.require("keyFile");

const swarm = new SwarmCluster("prod", {
  firewall: {
    ssh: [config.require("admin")], // who may log in; nobody else can
    expose: { web: { port: 80, from: ["world"], publish: "host" } }, // all other ports are closed
  },
  hosts: {
    rack: existing.hosts({
      role: "manager",
      user: config.get("user") ?? "root",
      privateKey: pulumi.secret(readFileSync(keyFile, "utf8")),
      machines: {
        a: { address: config.require("address"), hostKey: config.require("hostKey") },
        // One line for each further machine: 1, 3 or 5 managers; workers in a group of their own.
      },
    }),
  },
});

// A web server on each host, on the host's own port 80.
new docker.Service(
  "web",
  {
    mode: { global: true },
    taskSpec: { containerSpec: { image: "nginx:1.29" } },
    endpointSpec: { ports: [{ targetPort: 80, publishedPort: 80, publishMode: "host" }] },
  },
  { provider: swarm.dockerProvider({ keyFile }) },
);

export const url = swarm.dockerHost.apply((host) => `http://${new URL(host).hostname}`);
