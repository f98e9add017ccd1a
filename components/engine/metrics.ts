import type { FirewallRule } from "../firewall/rule";
import type { DaemonSettings } from "./bridges";
import type { EngineArgs } from "./args";

/** As in Docker's own documentation (docs.docker.com, Collect Docker metrics with Prometheus). */
export const metricsPort = 9323;

/** A host by the addresses that it may listen on. */
export interface Listening {
  readonly address: string;
  /** In the tunnel, where there is one. */
  readonly tunnelAddress?: string;
}

/** The host's address on the underlay. */
export function metricsAddressOf({ address, tunnelAddress }: Listening): string {
  return tunnelAddress ?? address;
}

/** Who may read them; `firewall.rules.metrics` names others. */
export function metricsRules({ metrics }: EngineArgs, over: "site" | "tunnel"): readonly FirewallRule[] {
  if (metrics !== true) return [];
  return [
    {
      name: "metrics",
      protocol: "tcp",
      ports: [String(metricsPort)],
      from: ["members"],
      to: "members",
      over,
      answers: "host",
      reason: "Prometheus reads Docker's own metrics",
    },
  ];
}

/** @param daemon What daemon.json says: what is off there is not turned off again. */
export function metricsSettings({ metrics }: EngineArgs, host: Listening, daemon: DaemonSettings): DaemonSettings {
  if (metrics === true) return { "metrics-addr": `${metricsAddressOf(host)}:${metricsPort}` };
  return metrics === false && (daemon["metrics-addr"] ?? "") !== "" ? { "metrics-addr": "" } : {};
}

/**
 * An entry of Prometheus' `scrape_configs` on one line: JSON, which YAML takes.
 *
 * @returns nothing where there are no metrics.
 */
export function prometheusJob({ metrics }: EngineArgs, cluster: string, hosts: readonly (Listening & { readonly key: string })[]): string {
  if (metrics !== true) return "";
  const targets = hosts.map((host) => ({ targets: [`${metricsAddressOf(host)}:${metricsPort}`], labels: { cluster, host: host.key } }));
  return `- ${JSON.stringify({ job_name: `docker-${cluster}`, static_configs: targets })}`;
}
