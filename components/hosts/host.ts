import type * as pulumi from "@pulumi/pulumi";
import type { NamesContext, PlannedName } from "../names/name";
import type { CloudRule } from "../firewall/cloud";
import { show } from "../report";
import type { Connection } from "../remote/connection";

/** What a host is in the swarm: managers keep its state and may run tasks, workers only run tasks. */
export type HostRole = "manager" | "worker";

/** One problem in what the user wrote: where, what, and how to mend it. */
export interface Problem {
  /** The argument's path, such as `hosts.edge.count`. */
  readonly path: string;
  /** What is wrong, with what was given. */
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
}

/** Where hosts reach each other by private address. Two groups that name the same site share it. */
export interface Site {
  /** Its name, by which groups share it. */
  readonly key: string;
  /** The site's own network, when this package makes it or must keep clear of it. */
  readonly network?: string;
  /** Largest packet of the site's network in bytes. */
  readonly mtu: number;
  /** Largest packet on the way to other sites. @default - `mtu`, and 1500 at most, which is what the Internet carries */
  readonly mtuOutside?: number;
}

/** A part of a site that can fail by itself, such as a cloud's availability zone. With a network of its own, the way to it is by a router. */
export interface Zone {
  /** Its name within the site. */
  readonly name: string;
  /** In CIDR form, within the site's network. Addresses are planned in it. @default - it has none of its own: they are planned in the site's */
  readonly network?: string;
}

/**
 * An address that a machine is given when it is made. That there will be one is part of the plan: it decides who can call whom,
 * and what has to be open to everybody. Which one it is, the machine tells.
 */
export interface AssignedAddress {
  /** When it is known which one it is. */
  readonly assigned: "when the host is made";
}

export const assigned: AssignedAddress = { assigned: "when the host is made" };

/** An address that is known, or known to come. */
export type PublicAddress = string | AssignedAddress;

/** One host as its group describes it, before any machine exists. */
export interface HostDescription {
  /** The host's place in its group: a number, or the name the user gave. Part of the host's key, and never reused by position. */
  readonly place: string;
  /** The address when the user knows it already. */
  readonly address?: string;
  /** Where the site is made of zones. @default - the site is one network */
  readonly zone?: Zone;
  /** Address on which other sites reach it. @default - none: it is behind network address translation */
  readonly publicAddress?: PublicAddress;
  /** Address with which other sites see it when it calls them. @default - its public address */
  readonly seenAs?: string;
  /** Where its sshd listens. @default 22 */
  readonly sshPort?: number;
  /** Swarm node labels of this host, over those of its group. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a group of hosts needs to know of the plan to make its machines. */
export interface HostContext {
  /** Name of the cluster, the prefix of all resource names. */
  readonly cluster: string;
  /** Key of the group, as the user wrote it. */
  readonly group: string;
  /** Parent of what the hosts share. */
  readonly parent: pulumi.Resource;
  /** Those whose machines are to be made. */
  readonly hosts: readonly HostToMake[];
  /** Fails when an address that is in use would move. What costs something to lose must not be changed before it is known. */
  readonly checked: pulumi.Output<unknown>;
  /**
   * Fails when too many managers would become other machines in this run. Each machine's own resource must wait for it, and nothing of
   * what `Machine.made` says may.
   */
  readonly allowed: pulumi.Output<unknown>;
  /** What is let in to hosts of this site, in the form that clouds have: for a firewall that stands before the hosts. */
  readonly rules: readonly CloudRule[];
  /** Whether containers' own addresses cross the site's network. A cloud drops such packets unless it is told not to. */
  readonly containersRouted: boolean;
  /**
   * For a site whose network only its provider can tell. What is made in it must wait for this.
   *
   * @returns the network; fails when it lies on anything that was planned.
   */
  readonly networkKnown: (network: pulumi.Input<string>) => pulumi.Output<string>;
  /** Takes hosts out of service while their machines are stopped. See `oneAtATime`. */
  readonly service: LateHostService;
  /** Made once per cluster and site, whatever number of groups is in it. */
  readonly shared: <T>(key: string, make: () => T) => T;
}

/** How a machine is stopped: its operating system is told, or its power is cut. */
export type Stop = "stopped" | "powered off";

/** Gets a host of the cluster ready for its machine to be stopped, and back to work. Only while resources are made, never in a preview. */
export interface HostService {
  /**
   * @param stop What is about to happen to the machine.
   * @returns when its tasks run elsewhere; at once where it is no member of the swarm. Of a machine whose power will be cut, when its
   *   engine is stopped and everything is on the disk too.
   */
  leave(host: string, stop: Stop): Promise<void>;
  /** @returns when it takes part in the swarm again. */
  enter(host: string): Promise<void>;
}

/** The same, where hosts are not known before their resources are made. */
export interface LateHostService extends HostService {
  /** Tells how a host is reached whose resource is being changed: until that is done, nothing that comes out of it is known. */
  reachedBy(host: string, connection: pulumi.Input<Connection>): void;
}

/** A host whose machine is to be made. */
export interface HostToMake {
  /** Its name in the cluster, such as `control-1`. */
  readonly key: string;
  /** Its number or name in the group. */
  readonly place: string;
  /** Within the site, where the plan gives one. */
  readonly address?: string;
  /** Name of its zone, where the site has zones. */
  readonly zone?: string;
  /** Parent of the host's own resources. */
  readonly parent: pulumi.Resource;
}

/** What a machine was made as, by the provider's own words: a change of any of it makes it another machine. What is not said is not compared. */
export type MadeAs = Readonly<Record<string, unknown>>;

/** A machine that stands, or will. */
export interface Machine {
  /** Changes exactly when the machine is another one. */
  readonly id: pulumi.Input<string>;
  /**
   * What it is made as, known before it is made. Each value may be an `Input`; only a digest of it is kept.
   * @default - nothing that a program says makes it another machine
   */
  readonly made?: MadeAs;
  /** Address on which the other hosts of the site reach it. */
  readonly address: pulumi.Input<string>;
  /** Where the plan says that it is assigned. */
  readonly publicAddress?: pulumi.Input<string>;
  /** How it is reached over SSH. Secret. */
  readonly connection: pulumi.Input<Connection>;
}

/** A host of the cluster as other hosts' firewalls see it, once it is made. */
export interface Member extends Pick<PlannedHost, "key" | "group" | "role" | "site" | "provider"> {
  /** Address on which the other hosts of its site reach it. */
  readonly address: pulumi.Input<string>;
  /** Address with which it comes to other sites. @default - nobody knows */
  readonly seenAs?: pulumi.Input<string>;
}

/** The same before any machine is made: an address may be only known to come. */
export interface PlannedMember extends Pick<PlannedHost, "key" | "group" | "role" | "site" | "provider"> {
  /** Address on which the other hosts of its site reach it. */
  readonly address: PublicAddress;
  /** Address with which it comes to other sites. @default - nobody knows */
  readonly seenAs?: PublicAddress;
}

/** What is to be let in to hosts of a site, as it is planned. */
export interface RulesContext extends Pick<HostContext, "group" | "rules"> {
  /** All hosts of the cluster. */
  readonly members: readonly PlannedMember[];
}

/** What a cloud's firewall needs to know, once all machines of the cluster are described. */
export interface AdmitContext extends Pick<HostContext, "cluster" | "group" | "parent" | "rules" | "shared"> {
  /** All hosts of the cluster. */
  readonly members: readonly Member[];
}

/**
 * Hosts of one kind. A provider is a pure description, read by the plan, and one function that makes the machines.
 * A new cloud is one new module with a function that returns this.
 */
export interface HostGroup {
  /** Name of the kind of host, such as `aws`. */
  readonly provider: string;
  /** What its hosts are in the swarm. */
  readonly role: HostRole;
  /** Where they stand. */
  readonly site: Site;
  /** Each of them, before any machine exists. */
  readonly hosts: readonly HostDescription[];
  /** Swarm node labels of all of them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether the plan gives each host an address within `site.network`. */
  readonly addressing: "planned" | "given";
  /**
   * Networks from which this kind of host is administered, where the provider itself knows: its own loopback addresses, where what
   * carries SSH runs on the host.
   * @default - the user says so
   */
  readonly adminSources?: readonly string[];
  /** What encrypts the hosts' disks, as the preview says it. @default - nothing that the provider knows of */
  readonly diskEncryption?: string;
  /** What is wrong with the group's own arguments; paths are relative to the group. */
  readonly problems: readonly Problem[];
  /** Why the site's network carries no packets with containers' own addresses, not even between neighbours. @default - it may */
  readonly noContainerRoutes?: string;
  /**
   * What the cloud's own firewall would not take of the rules, such as more of them than it has room for. Pure.
   *
   * @returns problems whose paths are relative to the group.
   * @default - it takes all, or there is none
   */
  checkRules?(context: RulesContext): readonly Problem[];
  /**
   * What may go wrong at the cloud though nothing is wrong with the arguments, such as a quota. Pure.
   *
   * @param hosts All of the cluster.
   * @default - nothing that is known
   */
  warnings?(hosts: readonly PlannedHost[]): readonly string[];
  /**
   * What `create` and `admit` make, to find out before whether two of a program's resources would have one name. What the groups of a
   * site share is of the site, and told by each of them. Pure.
   *
   * @default - nothing is known of it, and Pulumi refuses the second one when the first is made
   */
  names?(context: NamesContext): readonly PlannedName[];
  /**
   * Makes the machines.
   *
   * @returns each host's by its key.
   */
  create(context: HostContext): ReadonlyMap<string, Machine>;
  /**
   * Lets in by the cloud's own firewall what the plan lets in.
   *
   * @returns what has to be there before anybody works on the hosts, and to stay until nobody does.
   * @default - there is no such firewall
   */
  admit?(context: AdmitContext): readonly pulumi.Resource[];
}

/** The common part of every provider's arguments for a group whose hosts are numbered. */
export interface NumberedHosts {
  /**
   * How many hosts: numbers 1 to `count`.
   * @default 1
   */
  readonly count?: number;
  /** The hosts' numbers instead of a count, to take one out of the middle: `[1, 3]`. @default - 1 to `count` */
  readonly numbers?: readonly number[];
}

const mostHosts = 1000;

export function numberedHosts(args: NumberedHosts): { readonly hosts: readonly HostDescription[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const whole = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= mostHosts;
  if (args.count !== undefined && args.numbers !== undefined) {
    problems.push({ path: "count", message: "count and numbers are both given", fix: "keep one of them" });
  } else if (args.count !== undefined && !whole(args.count)) {
    problems.push({
      path: "count",
      message: `${show(args.count)} is not a number of hosts`,
      fix: `give a whole number from 1 to ${mostHosts}`,
    });
    return { hosts: [], problems };
  }
  if (args.numbers !== undefined && (!Array.isArray(args.numbers) || args.numbers.length === 0)) {
    problems.push({
      path: "numbers",
      message: `${show(args.numbers)} is not a list of hosts' numbers`,
      fix: "give a list such as [1, 3], or take the group out",
    });
    return { hosts: [], problems };
  }
  const numbers = args.numbers ?? Array.from({ length: args.count ?? 1 }, (_, index) => index + 1);
  numbers.forEach((number, index) => {
    if (!whole(number)) {
      problems.push({
        path: `numbers[${index}]`,
        message: `${show(number)} is not a host's number`,
        fix: `give whole numbers from 1 to ${mostHosts}`,
      });
    } else if (numbers.indexOf(number) !== index) {
      problems.push({ path: `numbers[${index}]`, message: `host ${number} is named twice`, fix: "name each number once" });
    }
  });
  return { hosts: [...new Set(numbers)].map((number) => ({ place: String(number) })), problems };
}

/** A planned host, as shown in the preview. */
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
  /** Key of the site where it stands. */
  readonly site: string;
  /** Name of its zone, where the site has zones. */
  readonly zone?: string;
  /** Address on which the other hosts of its site reach it, where it is known before the machine is made. */
  readonly address?: string;
  /** Address on which other sites reach it. @default - none: it is behind network address translation */
  readonly publicAddress?: PublicAddress;
  /** Address with which other sites see it when it calls them. @default - its public address */
  readonly seenAs?: string;
  /** In the encrypted tunnel between the hosts, where there is one. */
  readonly tunnelAddress?: string;
  /** For its containers, in CIDR form, where the overlay gives each host a subnet. */
  readonly containerSubnet?: string;
  /** Where its sshd listens. */
  readonly sshPort: number;
  /** Its swarm node labels. */
  readonly labels: Readonly<Record<string, string>>;
}
