import type { EngineArgs } from "../engine/args";
import type { FirewallArgs } from "../firewall/args";
import type { HostGroup } from "../hosts/host";
import type { NetworkArgs } from "../networks/args";
import type { Overlay } from "../overlays/overlay";
import type { Underlay } from "../underlay/underlay";
import type { AdoptArgs } from "../membership/adopt";
import type { MembershipArgs, SwarmOptions } from "../membership/args";
import type { ProgramsArgs } from "../programs/args";
import type { local } from "@pulumi/command";
import type { Transform } from "../transform";
import { engineOptions } from "../engine/args";
import { firewallOptions } from "../firewall/args";
import { adoptOptions } from "../membership/adopt";
import { membershipOptions, swarmOptions } from "../membership/args";
import { networkOptions } from "../networks/args";
import { list, named, opaque, options, text } from "../options";
import { programsOptions } from "../programs/args";

/**
 * A swarm of hosts on any mix of places. Everything here that decides the shape of the cluster is a plain value, never
 * an `Output`, so that the preview can show all of it.
 */
export interface SwarmClusterArgs {
  /**
   * Private IPv4 space, in CIDR form, from which every subnet of the cluster is cut. The upper half is for overlay
   * networks; in the lower half are Docker's own pool and bridges, the tunnel's addresses, and, with an overlay that routes, the
   * subnets of hosts' containers. It must overlap no site.
   * @default "10.96.0.0/14" - 512 overlay networks of 256 addresses each
   */
  readonly addressSpace?: string;
  /** Groups of hosts. The group's key names its hosts: `control` has `control-1`, `control-2`. */
  readonly hosts: Readonly<Record<string, HostGroup>>;
  /**
   * Overlay networks for services and containers; they can be attached to by both.
   * @default - none
   */
  readonly networks?: Readonly<Record<string, NetworkArgs>>;
  /** What containers on different hosts talk over. @default native() */
  readonly overlay?: Overlay;
  /** Where the programs come from that run on hosts for an overlay. @default - out of the projects' own images */
  readonly programs?: ProgramsArgs;
  /** What node-to-node traffic rides on. @default direct() */
  readonly underlay?: Underlay;
  /**
   * Networks of your own that the cluster must keep clear of, in CIDR form: offices, peered networks, VPNs.
   * @default - none beyond the sites' own and the well-known traps (metadata addresses, Docker's default bridges)
   */
  readonly avoid?: readonly string[];
  /**
   * Places in the address space that are to stay, each by its owner as the preview names it:
   * `{ "tunnel control": "10.97.200.0/24" }`. For networks, `networks.NAME.subnet` does the same.
   * `{ "tunnel host control-a": "10.97.202.81/32" }` keeps the address of one host, under whatever name and in whatever group.
   * @default - each place follows from its owner's name
   */
  readonly pins?: Readonly<Record<string, string>>;
  /** Owners whose address may move with this `up`, though it is in use. @default - none: the preview fails and says which pin keeps it */
  readonly renumber?: readonly string[];
  /**
   * Who may connect to what. Everything that it does not let through is dropped on every host.
   * Required unless all hosts are `local`, or on AWS with `access: "ssm"`: nobody is let in by default.
   */
  readonly firewall?: FirewallArgs;
  /** How Docker comes onto the hosts, and its settings. @default - used where it is, installed from the distribution where not */
  readonly engine?: EngineArgs;
  /** How hosts join, leave, and how long to wait. */
  readonly membership?: MembershipArgs;
  /**
   * A swarm that exists is taken over: its members stay members with their node ids, nothing is joined again, no engine is restarted
   * but for `engine.settings` of your own, and Docker's bridges, the ingress network and the join tokens stay. The roles in the program
   * must be those that the members have. Hosts that are no members yet join. What the preview says of Docker's bridges and the ingress
   * network holds for those only.
   * @default - creates a swarm
   */
  readonly adopt?: AdoptArgs;
  /** Locked managers, certificates, join tokens. @default - as Docker has them, and join tokens die after use */
  readonly swarm?: SwarmOptions;
  /** Last say over the arguments of the resources underneath. */
  readonly transform?: {
    /** The command that remembers what is about to be asked, and dissolves the swarm at a destroy. It touches no host before. */
    readonly intent?: Transform<local.CommandArgs>;
    /** The command that forms the swarm and looks after its members. */
    readonly swarm?: Transform<local.CommandArgs>;
    /** The command that tells what became of each host. */
    readonly nodes?: Transform<local.CommandArgs>;
    /** The command of each of the cluster's networks. */
    readonly network?: Transform<local.CommandArgs>;
  };
}

export const clusterOptions = options<SwarmClusterArgs>(
  {
    of: "a cluster",
    thing: "a cluster",
    example: 'new SwarmCluster("prod", { hosts: { control: existing.hosts({ role: "manager", … }) } })',
  },
  {
    addressSpace: text,
    hosts: named(opaque, "groups of hosts by name", '{ control: existing.hosts({ role: "manager", … }) }'),
    networks: named(networkOptions, "networks by name", "{ web: {} }"),
    overlay: opaque,
    programs: programsOptions,
    underlay: opaque,
    avoid: list,
    pins: named(text, "places by owner", '{ "tunnel control": "10.97.200.0/24" }'),
    renumber: list,
    firewall: firewallOptions,
    engine: engineOptions,
    membership: membershipOptions,
    adopt: adoptOptions,
    swarm: swarmOptions,
    transform: options<NonNullable<SwarmClusterArgs["transform"]>>(
      { of: "transform", thing: "changes of resources", example: "{ swarm: { … } }" },
      { intent: opaque, swarm: opaque, nodes: opaque, network: opaque },
    ),
  },
);
