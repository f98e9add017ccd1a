import type { EngineArgs } from "../engine/args";
import type { FirewallArgs } from "../firewall/args";
import type { GatewayArgs } from "../gateways/args";
import type { HostGroup } from "../hosts/host";
import type { NetworkPolicyArgs } from "../network-policy/args";
import type { NetworkArgs } from "../networks/args";
import type { Overlay } from "../overlays/overlay";
import type { Underlay } from "../underlay/underlay";
import type { AdoptArgs } from "../membership/adopt";
import type { MembershipArgs, SwarmOptions } from "../membership/args";
import type { ProgramsArgs } from "../programs/args";
import type { local } from "@pulumi/command";
import type { Transform } from "../transform";
import type { MaintenanceArgs } from "../walk/args";
import { engineOptions } from "../engine/args";
import { firewallOptions } from "../firewall/args";
import { gatewayOptions } from "../gateways/args";
import { adoptOptions } from "../membership/adopt";
import { membershipOptions, swarmOptions } from "../membership/args";
import { networkPolicyOptions } from "../network-policy/args";
import { networkOptions } from "../networks/args";
import { change, list, named, opaque, optional, options, text } from "../options";
import { programsOptions } from "../programs/args";
import { maintenanceOptions } from "../walk/args";

/**
 * A swarm of hosts in any combination of places. Options that define the shape of the cluster are plain values, never an
 * `Output`, so that the preview can show all of it.
 */
export interface SwarmClusterArgs {
  /**
   * Private IPv4 space, in CIDR form, for every subnet of the cluster. The upper half is for overlay networks. The lower half is
   * for Docker's own pool and bridges, the tunnel's addresses, and, with an overlay that routes, the subnets of hosts'
   * containers. It must not overlap any site.
   * @default "10.96.0.0/14" - 512 overlay networks of 256 addresses each
   */
  readonly addressSpace?: string;
  /** Groups of hosts. The group's key names its hosts: `control` has `control-1`, `control-2`. */
  readonly hosts: Readonly<Record<string, HostGroup>>;
  /** Overlay networks for services and containers. Both can attach to them. @default - none */
  readonly networks?: Readonly<Record<string, NetworkArgs>>;
  /**
   * Who may connect to containers of a network, beside those of the network itself, by a name of your choice. Only with `calico()` and
   * `flannel()`, where networks are routed. `{ "web may reach db": { from: ["web"], to: ["db"], port: 5432 } }`
   * @default - networks are apart, and nobody outside reaches them
   */
  readonly policy?: Readonly<Record<string, NetworkPolicyArgs>>;
  /**
   * What containers reach outside the swarm, each by its name and wherever they run, through hosts that can reach it: a database in a rack, a
   * machine behind a VPN.
   * @default - none: containers reach what their own host reaches, by its address
   */
  readonly gateways?: Readonly<Record<string, GatewayArgs>>;
  /** What carries traffic between containers on different hosts. @default native() */
  readonly overlay?: Overlay;
  /** Where the overlay's programs on hosts come from. @default - the projects' own images */
  readonly programs?: ProgramsArgs;
  /** What carries traffic between nodes. @default direct() */
  readonly underlay?: Underlay;
  /**
   * Your own networks that the cluster must not overlap, in CIDR form: offices, peered networks, VPNs.
   * @default - none beyond the sites' own and the well-known traps (metadata addresses, Docker's default bridges)
   */
  readonly avoid?: readonly string[];
  /**
   * Addresses that must stay where they are, by owner as the preview names it: `{ "tunnel control": "10.97.200.0/24" }`. For
   * networks, `networks.NAME.subnet` does the same. `{ "tunnel host control-a": "10.97.202.81/32" }` keeps the address of one
   * host, even under another name or in another group.
   * @default - each address follows from its owner's name
   */
  readonly pins?: Readonly<Record<string, string>>;
  /**
   * Owners whose address may move in this `up`, although it is in use.
   * @default - none: the preview fails and names the pin that keeps it
   */
  readonly renumber?: readonly string[];
  /**
   * Who may connect to what. Every host drops all other traffic. Required unless all hosts are `local`, or on AWS with
   * `access: "ssm"`: by default nobody may connect.
   */
  readonly firewall?: FirewallArgs;
  /**
   * How Docker is installed on the hosts, and its settings.
   * @default - an installed Docker is used; otherwise it is installed from the distribution
   */
  readonly engine?: EngineArgs;
  /** How hosts join and leave, and how long to wait. */
  readonly membership?: MembershipArgs;
  /**
   * How hosts are taken out of service to be changed: for another version of Docker, settings with which it must start again, upgrades of
   * packages, and reboots.
   * @default - each is drained, a tenth of the workers at once, and the managers one by one
   */
  readonly maintenance?: MaintenanceArgs;
  /**
   * Takes over a swarm that exists. Its members stay members with their node ids, no host joins again, and no engine is restarted
   * except for your own `engine.settings` and `engine.version`. Docker's bridges, the ingress network and the join tokens stay. The roles in the
   * program must match those of the members. Hosts that are not members yet join. The preview's plan for Docker's bridges and the
   * ingress network applies only to these.
   * @default - creates a swarm
   */
  readonly adopt?: AdoptArgs;
  /**
   * Locked managers, certificates, join tokens.
   * @default - Docker's own settings, except that join tokens become invalid after use
   */
  readonly swarm?: SwarmOptions;
  /** Last changes to the arguments of the underlying resources. */
  readonly transform?: {
    /**
     * The command that records what is about to be requested, and dissolves the swarm at a destroy. Before that it touches no
     * host.
     */
    readonly intent?: Transform<local.CommandArgs>;
    /** The command that creates the swarm and manages its members. */
    readonly swarm?: Transform<local.CommandArgs>;
    /** The command that reports the result for each host. */
    readonly nodes?: Transform<local.CommandArgs>;
    /** The command of each of the cluster's networks. */
    readonly network?: Transform<local.CommandArgs>;
    /** The command of each of the cluster's gateways. */
    readonly gateway?: Transform<local.CommandArgs>;
  };
}

export const clusterOptions = options<SwarmClusterArgs>(
  {
    of: "a cluster",
    thing: "a cluster",
    example: 'new SwarmCluster("prod", { hosts: { control: existing.hosts({ role: "manager", … }) } })',
    others: { groups: "hosts", machines: "hosts", nodes: "hosts", servers: "hosts", cidr: "addressSpace", subnet: "addressSpace" },
  },
  {
    addressSpace: optional,
    hosts: named(opaque, "groups of hosts by name", '{ control: existing.hosts({ role: "manager", … }) }'),
    networks: named(networkOptions, "networks by name", "{ web: {} }"),
    policy: named(networkPolicyOptions, "policies by name", '{ "web may reach db": { from: ["web"], to: ["db"], port: 5432 } }'),
    gateways: named(gatewayOptions, "gateways by name", '{ oracle: { to: "192.168.7.20", port: 1521, on: "group rack", networks: ["web"] } }'),
    overlay: opaque,
    programs: programsOptions,
    underlay: opaque,
    avoid: list,
    pins: named(text, "places by owner", '{ "tunnel control": "10.97.200.0/24" }'),
    renumber: list,
    firewall: firewallOptions,
    engine: engineOptions,
    membership: membershipOptions,
    maintenance: maintenanceOptions,
    adopt: adoptOptions,
    swarm: swarmOptions,
    transform: options<NonNullable<SwarmClusterArgs["transform"]>>(
      { of: "transform", thing: "changes of resources", example: "{ swarm: { … } }" },
      { intent: change, swarm: change, nodes: change, network: change, gateway: change },
    ),
  },
);
