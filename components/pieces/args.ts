import type { local } from "@pulumi/command";
import type { FirewallArgs } from "../firewall/args";
import type { HostGroup } from "../hosts/host";
import type { Transform } from "../transform";
import type { WireGuardArgs } from "../underlay/wireguard/args";
import { firewallOptions } from "../firewall/args";
import { list, named, opaque, optional, options, text } from "../options";
import { wireGuardOptions } from "../underlay/wireguard/args";

/** Changes to the arguments of what a piece is made of. */
export interface HostsAloneTransform {
  /** Of the command that remembers what is about to be asked, and takes it off the hosts at a destroy. */
  readonly intent?: Transform<local.CommandArgs>;
  /** Of the command that works on the hosts. */
  readonly command?: Transform<local.CommandArgs>;
}

/** What every piece that works on hosts is told of them. */
export interface HostsAloneArgs {
  /**
   * Groups of hosts. The group's key names its hosts: `rack` has `rack-a`. Their role counts only where a rule names "managers" or
   * "workers".
   */
  readonly hosts: Readonly<Record<string, HostGroup>>;
  /** Seconds that a host may take to answer over SSH before it is given up for this run. @default 75 */
  readonly reachableSeconds?: number;
  /** Any change of it makes the next `up` look at all hosts again. @default - when something in the program changes */
  readonly recheck?: string;
  /** Last say over the arguments of the command underneath. */
  readonly transform?: HostsAloneTransform;
}

/** Hosts that are closed but for what is named here. */
export interface HostFirewallArgs extends HostsAloneArgs {
  /** Who may connect to what. `enforce` is "hosts"; a list that nobody keeps needs no resource. */
  readonly firewall: FirewallArgs;
}

/** Hosts that talk to each other encrypted. */
export interface WireGuardMeshArgs extends HostsAloneArgs, WireGuardArgs {
  /**
   * Private IPv4 network out of which each host has an address in the mesh, in CIDR form, /26 or larger. It must overlap no site.
   * @default "10.97.192.0/18" - as in a SwarmCluster with the usual address space
   */
  readonly subnet?: string;
  /** Networks of your own that the mesh must keep clear of, in CIDR form. @default - none beyond the sites' own and the well-known traps */
  readonly avoid?: readonly string[];
  /** Groups' blocks of addresses that are to stay, by owner as the preview names it. @default - each follows from its owner's name */
  readonly pins?: Readonly<Record<string, string>>;
  /** Owners whose addresses may move with this `up`, though they are in use. @default - none: the preview fails */
  readonly renumber?: readonly string[];
  /**
   * Closes the hosts as HostFirewall does, but for the mesh: its port to the other hosts, and all that comes out of the tunnel (the
   * rules mesh-tcp and mesh-udp). Without it no firewall is touched: one of your own must let in the mesh's port.
   * @default - no firewall is touched
   */
  readonly firewall?: FirewallArgs;
}

const hostsAlone = {
  hosts: named(opaque, "groups of hosts by name", '{ rack: existing.hosts({ role: "worker", … }) }'),
  reachableSeconds: optional,
  recheck: optional,
  transform: options<HostsAloneTransform>(
    { of: "transform", thing: "changes of resources", example: "{ command: { … } }" },
    { intent: opaque, command: opaque },
  ),
} as const;

export const hostFirewallOptions = options<HostFirewallArgs>(
  { of: "HostFirewall", thing: "a firewall of hosts", example: 'new HostFirewall("racks", { hosts: { … }, firewall: { … } })' },
  { ...hostsAlone, firewall: firewallOptions },
);

export const wireGuardMeshOptions = options<WireGuardMeshArgs>(
  { of: "WireGuardMesh", thing: "a mesh of hosts", example: 'new WireGuardMesh("office", { hosts: { … } })' },
  {
    ...hostsAlone,
    ...wireGuardOptions.names,
    subnet: text,
    avoid: list,
    pins: named(text, "places by owner", '{ "tunnel rack": "10.97.200.0/24" }'),
    renumber: list,
    firewall: firewallOptions,
  },
);
