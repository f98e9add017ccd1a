import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster } from "pulumi-swarm";
import * as local from "pulumi-swarm/local";

/*
 * `web` answers on port 8080 of each worker and asks `api`, which asks `db` with a password. One small image plays all three:
 * put yours in its place. Explained in docs/services.md.
 */
const config = new pulumi.Config();
const image = config.get("image") ?? "busybox:1.37";
const apiImage = config.get("apiImage") ?? image;
const network = config.get("network");
const common = network === undefined ? {} : { network };

const swarm = new SwarmCluster(pulumi.getStack(), {
  hosts: {
    control: local.hosts({ role: "manager", ...common }),
    edge: local.hosts({ role: "worker", count: 2, labels: { tier: "edge" }, ...common }),
  },
  networks: { front: {}, back: { internal: true } },
  firewall: { expose: { web: { port: 8080, from: ["world"], on: "workers", publish: "host" } } },
});
const provider = swarm.dockerProvider({ writeKeyTo: `.keys/${pulumi.getStack()}` });

/** A network of the cluster, as a service takes it. */
const on = (name: string): { id: pulumi.Output<string> } => ({ id: swarm.networks.apply((networks) => networks[name]?.id ?? "") });

// A secret and a config cannot be changed, only replaced. Without a `name` each version gets one of its own, so Pulumi makes the new
// one, updates the services, and then removes the old one.
const password = new docker.Secret(
  "db-password",
  { data: config.requireSecret("password").apply((text) => Buffer.from(text).toString("base64")) },
  { provider },
);
const passwordFile = { secretId: password.id, secretName: password.name, fileName: "db-password" };

/** A config as a file that can be run. */
function script(
  name: string,
  fileName: string,
  lines: readonly string[],
): { configId: pulumi.Output<string>; configName: pulumi.Output<string>; fileName: string; fileMode: number } {
  const made = new docker.ServiceConfig(name, { dataRaw: `${["#!/bin/sh", ...lines].join("\n")}\n` }, { provider });
  return { configId: made.id, configName: made.name, fileName, fileMode: 0o555 };
}

const db = new docker.Service(
  "db",
  {
    name: "db",
    taskSpec: {
      containerSpec: {
        image,
        commands: ["/bin/busybox", "nc", "-ll", "-p", "5432", "-e", "/srv/db"],
        configs: [
          script("db", "/srv/db", [
            "read -r given",
            'if [ "$given" = "$(cat /run/secrets/db-password)" ]; then echo 3 orders; else echo wrong password; fi',
          ]),
        ],
        secrets: [passwordFile],
        stopSignal: "SIGKILL", // busybox as the first process does not heed SIGTERM
      },
      networksAdvanceds: [on("back")],
      // What has data on a host's disk stays on that host.
      placement: { constraints: ["node.labels.pulumi-swarm.host==edge-1"] },
    },
    endpointSpec: { mode: "dnsrr" },
    convergeConfig: { delay: "1s", timeout: "2m" },
  },
  { provider },
);

const api = new docker.Service(
  "api",
  {
    name: "api",
    mode: { replicated: { replicas: 2 } },
    taskSpec: {
      containerSpec: {
        image: apiImage,
        commands: ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/srv"],
        env: { VERSION: config.get("version") ?? "1" },
        configs: [
          script("api", "/srv/cgi-bin/orders", [
            "printf 'Content-Type: text/plain\\r\\n\\r\\n'",
            "answer=$({ cat /run/secrets/db-password; echo; } | /bin/busybox nc -w 3 db 5432)",
            'echo "$answer, says version $VERSION"',
          ]),
        ],
        secrets: [passwordFile],
        // An answer of any kind will do; a task counts for others only when it is healthy.
        healthcheck: {
          tests: ["CMD-SHELL", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | /bin/busybox nc -w 2 127.0.0.1 8080 | grep -q ^HTTP/"],
          interval: "2s",
          timeout: "3s",
          retries: 3,
        },
        stopSignal: "SIGKILL",
      },
      networksAdvanceds: [on("front"), on("back")],
      placement: { prefs: ["node.labels.pulumi-swarm.host"] },
    },
    endpointSpec: { mode: "dnsrr" },
    // A rolling update: the new task first, then the old one goes; what fails is rolled back, and `up` says so.
    updateConfig: { parallelism: 1, order: "start-first", monitor: "5s", failureAction: "rollback" },
    rollbackConfig: { parallelism: 1, order: "start-first", monitor: "5s" },
    convergeConfig: { delay: "1s", timeout: "3m" },
  },
  { provider, dependsOn: db },
);

new docker.Service(
  "web",
  {
    name: "web",
    mode: { global: true },
    taskSpec: {
      containerSpec: {
        image,
        commands: ["/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/srv"],
        configs: [
          script("web", "/srv/cgi-bin/orders", [
            "printf 'Content-Type: text/plain\\r\\n\\r\\n'",
            "printf 'GET /cgi-bin/orders HTTP/1.0\\r\\n\\r\\n' | /bin/busybox nc -w 5 api 8080 | sed '1,/^\\r*$/d'",
          ]),
        ],
        stopSignal: "SIGKILL",
      },
      networksAdvanceds: [on("front")],
      placement: { constraints: ["node.labels.tier==edge"] },
    },
    endpointSpec: { mode: "dnsrr", ports: [{ targetPort: 80, publishedPort: 8080, publishMode: "host" }] },
  },
  { provider, dependsOn: api },
);

export const dockerHost = swarm.dockerHost;
export const connections = swarm.connections;
export const urls = swarm.hosts.apply((hosts) =>
  Object.values(hosts)
    .filter(({ role }) => role === "worker")
    .map(({ address }) => `http://${address}:8080/cgi-bin/orders`),
);
