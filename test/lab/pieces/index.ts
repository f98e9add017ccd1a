import * as pulumi from "@pulumi/pulumi";
import { type FirewallArgs, HostFirewall, WireGuardMesh } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";

/** What the tests ask for, in one configuration value. */
interface Spec {
  readonly firewall?: { readonly machines: existing.ExistingHostsArgs["machines"]; readonly firewall: FirewallArgs };
  readonly mesh?: { readonly machines: existing.ExistingHostsArgs["machines"]; readonly rotation?: string; readonly firewall?: FirewallArgs };
}

const config = new pulumi.Config();
const spec = config.requireObject<Spec>("spec");
const rack = (machines: existing.ExistingHostsArgs["machines"]): ReturnType<typeof existing.hosts> =>
  existing.hosts({ role: "worker", privateKey: config.requireSecret("privateKey"), machines });

if (spec.firewall) new HostFirewall("racks", { hosts: { rack: rack(spec.firewall.machines) }, firewall: spec.firewall.firewall });

const { machines, ...more } = spec.mesh ?? {};
const mesh = machines && new WireGuardMesh("office", { hosts: { rack: rack(machines) }, ...more });
export const addresses = mesh?.addresses;
