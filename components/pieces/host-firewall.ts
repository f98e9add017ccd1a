import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../remote/connection";
import type { HostFirewallArgs } from "./args";
import { changed, keepHosts, type Piece, planOrRefuse } from "./hosts";
import { type HostsAlonePlan, planHostFirewall } from "./plan";

/**
 * The firewall of hosts without a swarm. Each host drops all traffic that no rule allows, and keeps new rules only if a new SSH
 * connection succeeds under them. Ports that Docker publishes are closed too unless `expose` names them. Programs on the hosts
 * are not checked. A destroy removes the firewall. A host is refused if a SwarmCluster or another HostFirewall manages its
 * firewall.
 *
 * @example
 * new HostFirewall("racks", {
 *   hosts: { rack: existing.hosts({ role: "worker", privateKey, machines }) },
 *   firewall: { ssh: ["203.0.113.0/24"], allow: { web: { port: 443, from: ["world"] } } },
 * });
 */
export class HostFirewall extends pulumi.ComponentResource {
  /** The plan: everything that is decided before anything changes. */
  readonly plan: HostsAlonePlan;
  /** How to reach each host over SSH. Secret. */
  readonly connections: pulumi.Output<Record<string, Connection>>;

  constructor(name: string, args: HostFirewallArgs, opts?: pulumi.ComponentResourceOptions) {
    const plan = (change: Partial<HostFirewallArgs>): ReturnType<typeof planHostFirewall> => planHostFirewall(changed(args, change));
    const piece: Piece = { type: "HostFirewall", name, what: `host firewall "${name}"`, args, plan };
    const planned = planOrRefuse(piece, opts?.parent);
    super("pulumi-swarm:index:HostFirewall", name, { hosts: planned.hosts.length }, opts);
    this.plan = planned;
    const { connections } = keepHosts(piece, planned, this);
    this.connections = connections;
    this.registerOutputs({});
  }
}
