import type { Problem } from "../report";
import type * as pulumi from "@pulumi/pulumi";
import type { PlannedName } from "../names/name";
import type { CloudRule } from "../firewall/cloud";
import type { Connection } from "../remote/connection";

/** What a host is in the swarm: managers keep its state and may run tasks, workers only run tasks. */
export type HostRole = "manager" | "worker";

/** Where hosts reach each other at private addresses. Two groups that name the same site share it. */
export interface Site {
  /** Its name. Groups with the same name share it. */
  readonly key: string;
  /** The site's own network, if this package makes it or must not overlap it. */
  readonly network?: string;
  /** Largest packet of the site's network in bytes. */
  readonly mtu: number;
  /** Largest packet on the path to other sites. @default - `mtu`, and 1500 at most, which is what the Internet carries */
  readonly mtuOutside?: number;
}

/** A part of a site that can fail alone, such as a cloud's availability zone. If it has its own network, a router leads to it. */
export interface Zone {
  /** Its name within the site. */
  readonly name: string;
  /**
   * In CIDR form, within the site's network. Addresses are planned in it.
   * @default - none: addresses are planned in the site's network
   */
  readonly network?: string;
}

/**
 * An address that a machine gets when it is made. The plan knows that there will be one: this decides who can call whom, and what
 * has to be open to everybody. The value comes from the machine.
 */
export interface AssignedAddress {
  /** When the value is known. */
  readonly assigned: "when the host is made";
}

export const assigned: AssignedAddress = { assigned: "when the host is made" };

/** An address that is known, or will be known. */
export type PublicAddress = string | AssignedAddress;

/** One host as its group describes it, before any machine exists. */
export interface HostDescription {
  /**
   * The host's place in its group: a number, or the name that the user gave. It is part of the host's key, and positions never
   * change it.
   */
  readonly place: string;
  /** The address if the user already knows it. */
  readonly address?: string;
  /** Its zone, if the site has zones. @default - the site is one network */
  readonly zone?: Zone;
  /** Address that other sites use to reach it. @default - none: it is behind network address translation */
  readonly publicAddress?: PublicAddress;
  /** Address that other sites see when it calls them. @default - its public address */
  readonly seenAs?: string;
  /** Where its sshd listens. @default 22 */
  readonly sshPort?: number;
  /** Swarm node labels of this host, in addition to those of its group. They take priority. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a group of hosts needs from the plan to make its machines. */
export interface HostContext {
  /** Name of the cluster, the prefix of all resource names. */
  readonly cluster: string;
  /** Key of the group, as the user wrote it. */
  readonly group: string;
  /** Parent of the resources that the hosts share. */
  readonly parent: pulumi.Resource;
  /** Hosts whose machines must be made. */
  readonly hosts: readonly HostToMake[];
  /** Fails if an address in use would move. Resources that are costly to lose must not change before it is known. */
  readonly checked: pulumi.Output<unknown>;
  /** What is allowed to hosts of this site, in the form that clouds use: for a firewall in front of the hosts. */
  readonly rules: readonly CloudRule[];
  /** Whether containers' own addresses cross the site's network. A cloud drops such packets by default. */
  readonly containersRouted: boolean;
  /**
   * For a site whose network only its provider knows. Resources in that network must wait for this.
   *
   * @returns the network; fails if it overlaps anything in the plan.
   */
  readonly networkKnown: (network: pulumi.Input<string>) => pulumi.Output<string>;
  /** Takes hosts out of service while their machines are stopped. See `oneAtATime`. */
  readonly service: LateHostService;
  /** Made once per cluster and site, for any number of groups. */
  readonly shared: <T>(key: string, make: () => T) => T;
}

/** How a machine is stopped: its operating system shuts down, or its power is cut. */
export type Stop = "stopped" | "powered off";

/**
 * Prepares a host of the cluster for the stop of its machine, and returns it to work. Only while resources are made, never in a
 * preview.
 */
export interface HostService {
  /**
   * @param waiting Hosts whose machines are to be stopped.
   * @returns the one whose turn it is, as in a walk over the hosts: workers first, and the manager who leads last.
   */
  next(waiting: readonly string[]): Promise<string | undefined>;
  /**
   * @param stop How the machine is about to be stopped.
   * @returns when its tasks run elsewhere; at once if it is not a member of the swarm. If the power will be cut, when its
   *   engine is stopped and everything is on the disk too.
   */
  leave(host: string, stop: Stop): Promise<void>;
  /** @returns when it is active in the swarm again. */
  enter(host: string): Promise<void>;
}

/** The same, if hosts are not known before their resources are made. */
export interface LateHostService extends HostService {
  /**
   * Gives the connection to a host whose resource is about to change. Until the change is done, none of the resource's outputs is
   * known.
   */
  reachedBy(host: string, connection: pulumi.Input<Connection>): void;
}

/** A host whose machine must be made. */
export interface HostToMake {
  /** Its name in the cluster, such as `control-1`. */
  readonly key: string;
  /** Its number or name in the group. */
  readonly place: string;
  /** Within the site, if the plan gives one. */
  readonly address?: string;
  /** Name of its zone, if the site has zones. */
  readonly zone?: string;
  /** Parent of the host's own resources. */
  readonly parent: pulumi.Resource;
  /**
   * Fails when the swarm could not do without the machines that would become other ones in this run. The machine's own resource must wait
   * for it, and nothing of what `Machine.made` says may.
   */
  readonly allowed: pulumi.Output<unknown>;
}

/** What a machine was made as, by the provider's own words: a change of any of it makes it another machine. What is not said is not compared. */
export type MadeAs = Readonly<Record<string, unknown>>;

/** A machine, existing or planned. */
export interface Machine {
  /** Changes exactly when the machine is replaced. */
  readonly id: pulumi.Input<string>;
  /**
   * The properties of the machine, known before it is made. Each value may be an `Input`. Only a digest of it is kept.
   * @default - no change of the program replaces the machine
   */
  readonly made?: MadeAs;
  /** Whether its provider refuses to delete it until an earlier `up` has removed its protection. @default false */
  readonly protected?: boolean;
  /** Address that the other hosts of the site use. */
  readonly address: pulumi.Input<string>;
  /** If the plan says that it is assigned. */
  readonly publicAddress?: pulumi.Input<string>;
  /** How to reach it over SSH. Secret. */
  readonly connection: pulumi.Input<Connection>;
}

/** A host of the cluster as other hosts' firewalls see it, after it is made. */
export interface Member extends Pick<PlannedHost, "key" | "group" | "role" | "site" | "provider"> {
  /** Address that the other hosts of its site use. */
  readonly address: pulumi.Input<string>;
  /** Address that other sites see when it calls them. @default - not known */
  readonly seenAs?: pulumi.Input<string>;
}

/** The same before any machine is made. An address may not be known yet. */
export interface PlannedMember extends Pick<PlannedHost, "key" | "group" | "role" | "site" | "provider"> {
  /** Address that the other hosts of its site use. */
  readonly address: PublicAddress;
  /** Address that other sites see when it calls them. @default - not known */
  readonly seenAs?: PublicAddress;
}

/** The planned rules for hosts of a site. */
export interface RulesContext extends Pick<HostContext, "group" | "rules"> {
  /** All hosts of the cluster. */
  readonly members: readonly PlannedMember[];
}

/** What determines the names of a group's resources. */
export interface NamesContext extends RulesContext {
  /** Name of the cluster, the prefix of all resource names. */
  readonly cluster: string;
  /** Those of the group. */
  readonly hosts: readonly Pick<PlannedHost, "key" | "place" | "zone">[];
}

/** What a cloud's firewall needs to know after all machines of the cluster are described. */
export interface AdmitContext extends Pick<HostContext, "cluster" | "group" | "parent" | "rules" | "shared"> {
  /** All hosts of the cluster. */
  readonly members: readonly Member[];
}

/**
 * Hosts of one kind. A provider is a pure description that the plan reads, and one function that makes the machines. A new cloud
 * is one new module with a function that returns this.
 */
export interface HostGroup {
  /** Name of the kind of host, such as `aws`. */
  readonly provider: string;
  /** What its hosts are in the swarm. */
  readonly role: HostRole;
  /** Their site. */
  readonly site: Site;
  /** Each of them, before any machine exists. */
  readonly hosts: readonly HostDescription[];
  /** Swarm node labels of all of them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether the plan gives each host an address within `site.network`. */
  readonly addressing: "planned" | "given";
  /**
   * Networks from which this kind of host is administered, if the provider knows them: for example the host's own loopback
   * addresses, if the program that carries SSH runs on the host.
   * @default - the user names them
   */
  readonly adminSources?: readonly string[];
  /** What encrypts the hosts' disks, as the preview shows it. @default - nothing that the provider knows of */
  readonly diskEncryption?: string;
  /** Problems in the group's own arguments. Paths are relative to the group. */
  readonly problems: readonly Problem[];
  /**
   * Why the site's network cannot carry packets with containers' own addresses, not even between neighbours.
   * @default - it can
   */
  readonly noContainerRoutes?: string;
  /**
   * Which rules the cloud's own firewall would refuse, for example because there are too many. Pure.
   *
   * @returns problems whose paths are relative to the group.
   * @default - it accepts all, or there is no such firewall
   */
  checkRules?(context: RulesContext): readonly Problem[];
  /**
   * What may fail at the cloud although the arguments are correct, such as a quota. Pure.
   *
   * @param hosts All hosts of the cluster.
   * @default - nothing that is known
   */
  warnings?(hosts: readonly PlannedHost[]): readonly string[];
  /** Option that gives the site's network, for problems with it. @default "network" */
  readonly networkOption?: string;
  /**
   * The resources that `create` and `admit` make. The plan uses them to find two resources with the same name. Resources that a
   * site's groups share belong to the site, and each of the groups lists them. Pure.
   *
   * @default - not known; Pulumi refuses the second resource when it is made
   */
  names?(context: NamesContext): readonly PlannedName[];
  /**
   * Makes the machines.
   *
   * @returns each host's machine, by the host's key.
   */
  create(context: HostContext): ReadonlyMap<string, Machine>;
  /**
   * Makes the cloud's own firewall allow what the plan allows.
   *
   * @returns resources that must exist before work on the hosts starts, and stay until it ends.
   * @default - there is no such firewall
   */
  admit?(context: AdmitContext): readonly pulumi.Resource[];
}

/** A planned host, as the preview shows it. */
export interface PlannedHost {
  /** Its name in the cluster, such as `control-1`: the group's key and its place. */
  readonly key: string;
  /** Key of its group. */
  readonly group: string;
  /** Its number or name in the group. */
  readonly place: string;
  /** Name of the kind of host, such as `aws`. */
  readonly provider: string;
  /** What it is in the swarm. */
  readonly role: HostRole;
  /** Key of its site. */
  readonly site: string;
  /** Name of its zone, if the site has zones. */
  readonly zone?: string;
  /** Address that the other hosts of its site use, if it is known before the machine is made. */
  readonly address?: string;
  /** Address that other sites use to reach it. @default - none: it is behind network address translation */
  readonly publicAddress?: PublicAddress;
  /** Address that other sites see when it calls them. @default - its public address */
  readonly seenAs?: string;
  /** `drain` if the program keeps tasks away from it. @default - whatever it is in the swarm */
  readonly availability?: "drain";
  /** Its address in the encrypted tunnel between the hosts, if there is one. */
  readonly tunnelAddress?: string;
  /**
   * The subnet of its containers, in CIDR form, if the overlay gives each host a subnet. With `openvswitch()` its place: as it lies in the
   * part of the address space for hosts, so its range lies in each network.
   */
  readonly containerSubnet?: string;
  /** Where its sshd listens. */
  readonly sshPort: number;
  /** Its swarm node labels. */
  readonly labels: Readonly<Record<string, string>>;
}
