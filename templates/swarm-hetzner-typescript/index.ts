import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster } from "pulumi-swarm";
import * as hetzner from "pulumi-swarm/hetzner";

const config = new pulumi.Config();

const swarm = new SwarmCluster("prod", {
  firewall: {
    ssh: [config.require("admin")], // who may log in; nobody else can
    expose: { web: { port: 80, from: ["world"], publish: "host" } }, // all other ports are closed
  },
  hosts: {
    control: hetzner.hosts({
      role: "manager",
      count: config.getNumber("managers") ?? 3,
      location: config.get<hetzner.HetznerLocation>("location") ?? "fsn1",
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
  { provider: swarm.dockerProvider({ writeKeyTo: ".keys/prod" }) },
);

export const url = swarm.dockerHost.apply((host) => `http://${new URL(host).hostname}`);
