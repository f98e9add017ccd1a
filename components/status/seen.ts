import type { FirewallRule } from "../firewall/rule";
import type { HostRole } from "../hosts/host";
import type { LocalSwarmState, SwarmNode } from "../membership/swarm-api";
import type { OverlayKind } from "../overlays/overlay";

/**
 * A cluster as it was seen at one moment. Plain data without secrets: what is found, and how it is shown, follows from this alone, so that a
 * recorded one can be judged again.
 */
export interface Seen {
  readonly cluster: string;
  /** Where it was learned how to reach the hosts, as a person reads it. */
  readonly by: string;
  /** When the look began, in ISO form. */
  readonly at: string;
  /** How long it took. */
  readonly seconds: number;
  /** What the last `up` asked for. Undefined where only connections are known. */
  readonly planned?: Planned;
  readonly hosts: readonly SeenHost[];
  /** The swarm as the first manager that could tell sees it. */
  readonly swarm?: SeenManagers;
}

/** What the last `up` asked for, as far as it is looked at. */
export interface Planned {
  readonly overlay: OverlayKind;
  readonly underlay: string;
  /** Largest packet between two hosts, in bytes. */
  readonly underlayMtu: number;
  /** Whether networks between containers are encrypted by Docker's engines. */
  readonly encrypted: boolean;
  readonly tunnel?: { readonly interface: string; readonly port: number };
  /** Undefined where the user keeps a firewall of their own. */
  readonly rules?: readonly FirewallRule[];
  readonly networks: readonly { readonly name: string; readonly subnet: string }[];
  readonly certificateHours?: number;
  readonly autolock?: boolean;
}

/** A host as the last `up` was asked for it. */
export interface PlannedHost {
  readonly role: HostRole;
  readonly site: string;
  /** Address on which the others reach it over the underlay. */
  readonly address: string;
  /** Address within its site. */
  readonly siteAddress: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SeenHost {
  /** The program's key of it; where only connections are known, what they call it. */
  readonly key: string;
  /** Where SSH goes. */
  readonly target: string;
  readonly planned?: PlannedHost;
  /** Why it could not be looked at. */
  readonly unreached?: string;
  readonly system?: System;
  readonly engine?: Engine | { readonly silent: string };
  /** By the key of the other host. Undefined where nothing could be sent. */
  readonly paths?: Readonly<Record<string, SeenPath>>;
  /** Why no packets were sent. */
  readonly noPaths?: string;
  /** What each part of the overlay or underlay saw here, by its name; a text is why it saw nothing. */
  readonly parts?: Readonly<Record<string, unknown>>;
}

/** What `look.sh` tells, with what this machine made of it. */
export interface System {
  readonly hostname: string;
  readonly kernel: string;
  readonly distribution: string;
  /** Seconds since it booted. */
  readonly uptime: number;
  /** Of Docker's unit, such as `active` or `failed`. */
  readonly engine: string;
  /** What the engine said last, where it does not run. */
  readonly engineSaid: string;
  readonly disks: readonly Disk[];
  /** Packages that ask for a restart of the machine, where any does. */
  readonly reboot: { readonly packages: string } | null;
  readonly firewall: {
    /** `none`: it never had rules of this package. `changed`: what is loaded is not what was confirmed. */
    readonly state: "none" | "gone" | "changed" | "whole";
    /** Whether the confirmed rules are those of the last `up`'s plan. @default - there is no plan to compare with */
    readonly asPlanned?: boolean;
  };
  /** `22/tcp sshd`: on which others can reach it, if no firewall stands before it. */
  readonly listens: readonly string[];
  /** States of this package's own units. */
  readonly units: Readonly<Record<string, string>>;
  /** Of the swarm's certificate of this node, in ISO form. */
  readonly certificate?: { readonly from: string; readonly until: string };
  /** Settings of daemon.json that are not what the program says; undefined where that cannot be told. */
  readonly settings?: readonly string[];
  /** What it means that Docker's own rules are gone, with the fix. @default - they are there */
  readonly lostRules?: string;
  /** Why daemon.json cannot be read. */
  readonly damagedSettings?: string;
  /** Seconds by which its clock is ahead of this machine's at least. Negative: behind. */
  readonly clock: number;
}

export interface Disk {
  readonly folder: string;
  readonly usedPercent: number;
  readonly freeKilobytes: number;
  readonly inodesPercent: number;
}

/** What a host's engine tells of itself. */
export interface Engine extends Pick<LocalSwarmState, "state" | "nodeId" | "address" | "controlAvailable" | "error"> {
  readonly version: string;
  /** Its network agent, on a member of a swarm that has an ingress network: `undefined` where it cannot be told. */
  readonly gossip?: {
    /** Whether it is attached to the ingress network. */
    readonly attached: boolean;
    /** Addresses of the members that it gossips with, itself among them. */
    readonly peers: readonly string[];
  };
}

/** A path between two hosts over the underlay. */
export interface SeenPath {
  readonly sent: number;
  readonly lost: number;
  /** Average, in milliseconds. Undefined where nothing came back. */
  readonly roundTrip?: number;
  /** Whether a packet of the planned size passed whole. Undefined where no size is planned. */
  readonly carriesMtu?: boolean;
}

/** The swarm as one manager sees it. */
export interface SeenManagers {
  /** Key of the host that was asked. */
  readonly from: string;
  readonly nodes: readonly (SwarmNode & { readonly address: string; readonly engine?: string })[];
  readonly certificateHours: number;
  readonly autolock: boolean;
  /** A change of the root CA goes on. */
  readonly caRotating: boolean;
  readonly networks: readonly { readonly name: string; readonly driver: string; readonly subnets: readonly string[] }[];
  readonly services: readonly SeenService[];
}

export interface SeenService {
  readonly name: string;
  /** Such as `8080/tcp`. */
  readonly published: readonly string[];
  readonly running: number;
  readonly wanted: number;
}
