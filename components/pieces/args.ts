import type { local } from "@pulumi/command";
import type { FirewallArgs } from "../firewall/args";
import type { HostGroup } from "../hosts/host";
import type { Transform } from "../transform";
import type { WireGuardArgs } from "../underlay/wireguard/args";
import { firewallOptions } from "../firewall/args";
import { change, list, named, opaque, optional, options, text } from "../options";
import { wireGuardOptions } from "../underlay/wireguard/args";

/** Changes to the arguments of a piece's resources. */
export interface HostsAloneTransform {
  /** Of the command that records what is about to be requested, and removes it from the hosts at a destroy. */
  readonly intent?: Transform<local.CommandArgs>;
  /** Of the command that works on the hosts. */
  readonly command?: Transform<local.CommandArgs>;
}

/** What every piece that works on hosts needs to know about them. */
export interface HostsAloneArgs {
  /**
   * Groups of hosts. The group's key names its hosts: `rack` has `rack-a`. Their role matters only if a rule names "managers" or
   * "workers".
   */
  readonly hosts: Readonly<Record<string, HostGroup>>;
  /** Seconds that a host may take to answer over SSH before this run gives up on it. @default 75 */
  readonly reachableSeconds?: number;
  /** Any change makes the next `up` inspect all hosts again. @default - when something in the program changes */
  readonly recheck?: string;
  /** Last changes to the arguments of the underlying command. */
  readonly transform?: HostsAloneTransform;
}

/** Hosts that are closed except for the traffic that these options allow. */
export interface HostFirewallArgs extends HostsAloneArgs {
  /** Who may connect to what. `enforce` is always "hosts" here. */
  readonly firewall: FirewallArgs;
}

/** Hosts with encrypted traffic between them. */
export interface WireGuardMeshArgs extends HostsAloneArgs, WireGuardArgs {
  /**
   * Private IPv4 network with each host's address in the mesh, in CIDR form, /26 or larger. It must not overlap any site.
   * @default "10.97.192.0/18" - the same as in a SwarmCluster with the default address space
   */
  readonly subnet?: string;
  /**
   * Your own networks that the mesh must not overlap, in CIDR form.
   * @default - only the sites' own networks and the well-known traps
   */
  readonly avoid?: readonly string[];
  /**
   * Groups' blocks of addresses that must stay where they are, by owner as the preview names it.
   * @default - each follows from its owner's name
   */
  readonly pins?: Readonly<Record<string, string>>;
  /** Owners whose addresses may move in this `up`, although they are in use. @default - none: the preview fails */
  readonly renumber?: readonly string[];
  /**
   * Closes the hosts like HostFirewall, except for the mesh: its port to the other hosts, and all traffic from the tunnel (the
   * rules mesh-tcp and mesh-udp). Without it no firewall changes, and your own firewall must allow the mesh's port.
   * @default - no firewall changes
   */
  readonly firewall?: FirewallArgs;
}

const hostsAlone = {
  hosts: named(opaque, "groups of hosts by name", '{ rack: existing.hosts({ role: "worker", … }) }'),
  reachableSeconds: optional,
  recheck: optional,
  transform: options<HostsAloneTransform>(
    { of: "transform", thing: "changes of resources", example: "{ command: { … } }" },
    { intent: change, command: change },
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
