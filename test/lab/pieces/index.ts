import * as pulumi from "@pulumi/pulumi";
import { type AdoptArgs, type FirewallArgs, HostFirewall, type HostGroup, type HostRole, SwarmCluster, WireGuardMesh } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";

/** What the tests ask for, in one configuration value. */
interface Spec {
  readonly firewall?: { readonly machines: existing.ExistingHostsArgs["machines"]; readonly firewall: FirewallArgs };
  readonly mesh?: {
    readonly machines: existing.ExistingHostsArgs["machines"];
    readonly rotation?: string;
    readonly recheck?: string;
    readonly firewall?: FirewallArgs;
  };
  readonly cluster?: {
    readonly hosts: Record<"control" | "edge", existing.ExistingHostsArgs["machines"]>;
    readonly firewall: FirewallArgs;
    readonly adopt: AdoptArgs;
  };
}

const config = new pulumi.Config();
const spec = config.requireObject<Spec>("spec");
const rack = (machines: existing.ExistingHostsArgs["machines"], role: HostRole = "worker"): HostGroup =>
  existing.hosts({ role, privateKey: config.requireSecret("privateKey"), machines });

if (spec.firewall) new HostFirewall("racks", { hosts: { rack: rack(spec.firewall.machines) }, firewall: spec.firewall.firewall });

const { machines, ...more } = spec.mesh ?? {};
const mesh = machines && new WireGuardMesh("office", { hosts: { rack: rack(machines) }, ...more });
export const addresses = mesh?.addresses;

const cluster =
  spec.cluster &&
  new SwarmCluster("prod", { ...spec.cluster, hosts: { control: rack(spec.cluster.hosts.control, "manager"), edge: rack(spec.cluster.hosts.edge) } });
export const swarmId = cluster?.swarmId;
