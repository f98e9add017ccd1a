import type { ProgramDefaults } from "../programs/plan";
import type { PlannedGateway } from "./gateway";

/** Debian 13 has this version too, which the lab runs. */
export const haproxy: ProgramDefaults = { name: "haproxy", version: "3.0.11", image: "docker.io/library/haproxy", files: {} };

/** Where the official image looks for it. */
export const configFile = "/usr/local/etc/haproxy/haproxy.cfg";

/** The user of the official image. */
export const proxyUser = "99:99";

/** Without a shell, and the same for every image that has the program on its path. Not with `-W`: there is nothing to reload. */
export const proxyCommand: readonly string[] = ["haproxy", "-db", "-f", configFile];

/** Docker's own resolver in each container. */
const dockerDns = "127.0.0.11:53";

/**
 * HAProxy's configuration. The limit on connections is fixed, since HAProxy would take memory for as many as a container may open; where that is
 * fewer, it would not start without `no strict-limits`. A silent connection may last a day; keepalives find dead ends earlier. There are no
 * health checks: some databases block whoever connects and says nothing.
 */
export function haproxyConfig({ name, to, port, targetPort }: Pick<PlannedGateway, "name" | "to" | "port" | "targetPort">): string {
  const named = !/^[\d.]+$/.test(to);
  return [
    "global",
    "  log stdout format raw daemon notice",
    "  maxconn 4000",
    "  no strict-limits",
    "defaults",
    "  mode tcp",
    "  log global",
    "  option clitcpka",
    "  option srvtcpka",
    "  timeout connect 5s",
    "  timeout client 24h",
    "  timeout server 24h",
    ...(named ? ["resolvers docker", `  nameserver docker ${dockerDns}`] : []),
    `listen ${name}`,
    `  bind :${port}`,
    `  server target ${to}:${targetPort}${named ? " resolvers docker resolve-prefer ipv4 init-addr libc,none" : ""}`,
    "",
  ].join("\n");
}
