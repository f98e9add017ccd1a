import type { EngineArgs } from "../engine/args";
import type { BridgePlan } from "../engine/bridges";
import type { HostNeeds } from "../engine/needs";
import type { FirewallHost, FirewallRule } from "../firewall/rule";
import type { HostRole } from "../hosts/host";
import type { AdoptArgs } from "../membership/adopt";
import type { SwarmOptions } from "../membership/args";
import type { NetworkSpec } from "../networks/api";
import type { NetworkSlice } from "../networks/network";
import type { OwnedPart, OwnerNames } from "../owner";
import type { OverlayKind } from "../overlays/overlay";
import type { HostProgram } from "../programs/program";
import type { MembershipMemory, SwarmOwner } from "../membership/types";
import type { Connection } from "../remote/connection";
import type { LockOptions } from "./phases/lock";
import type { Tunnel } from "../underlay/underlay";

/**
 * What the programs in this folder are given on standard input by the resources that run them. It holds private keys,
 * so it is a secret as a whole.
 */
export interface SwarmRequest extends ProtectRequest {
  readonly cluster: string;
  readonly project: string;
  readonly stack: string;
  readonly intent: Intent;
  readonly hosts: readonly SwarmRequestHost[];
  readonly engine: EngineArgs;
  readonly bridges: BridgePlan;
  /** What the overlay needs of every host. */
  readonly needs: HostNeeds;
  readonly overlay: OverlayRequest;
  readonly ingress: { readonly subnet: string; readonly gateway: string };
  /** Networks in CIDR form that Docker may cut subnets from. */
  readonly dockerPool: string;
  readonly swarm: SwarmOptions;
  readonly reachableSeconds: number;
  readonly drainSeconds: number;
  readonly abandonedSwarm?: string;
  /** Members of it are left as they are. @default - the swarm is our own */
  readonly adopt?: Required<Omit<AdoptArgs, "look">>;
  /** Any change of it makes an update of a request that is otherwise the same. */
  readonly recheck?: string;
}

/** What `intent` prints. */
export interface Intent {
  /** Random; of this resource for as long as it lives. */
  readonly mark: string;
  /** Counts what was asked for, so that a request is another one after each that failed. */
  readonly generation: number;
}

/** What `swarm-down` is told: no more than it needs, and what makes the resource another one whenever more is asked for. */
export interface SwarmDownRequest extends Pick<SwarmRequest, "cluster" | "tunnel" | "reachableSeconds" | "adopt">, Partial<Identity> {
  readonly hosts: readonly Pick<SwarmRequestHost, "key" | "connection">[];
}

/** The same of `hosts-down`. */
export interface HostsDownRequest extends ProtectRequest, Pick<HostsRequest, "owner" | "reachableSeconds"> {
  readonly hosts: readonly Pick<RequestHost, "key" | "connection">[];
}

/** Firewall and tunnel of hosts, with or without a swarm on them. */
export interface ProtectRequest {
  /** Largest packet between two hosts on the underlay, in bytes. */
  readonly underlayMtu: number;
  readonly tunnel?: Tunnel & { readonly prefix: number };
  /** Undefined where the user keeps a firewall of their own. */
  readonly firewall?: { readonly rules: readonly FirewallRule[] };
}

/** Of a firewall or a mesh alone: what is not asked for is left as it is. */
export interface HostsRequest extends ProtectRequest {
  /** Whose the hosts' firewall and tunnel are, as a message says it. */
  readonly owner: string;
  readonly hosts: readonly RequestHost[];
  readonly reachableSeconds: number;
  readonly recheck?: string;
  readonly intent: Intent;
}

/** What `hosts-up` prints, and is given back on its next run. */
export interface HostsResponse {
  /** What it keeps on the hosts. */
  readonly parts: readonly OwnedPart[];
  /** What the hosts call their owner. @default - as a run of version 0.1.0 did */
  readonly called?: string;
  readonly hosts: Readonly<Record<string, RememberedHost>>;
}

/** What the overlay is to do on hosts. */
export interface OverlayRequest {
  readonly kind: OverlayKind;
  /** Largest packet of a container, in bytes. */
  readonly mtu: number;
  /** The slices of hosts' subnets that networks have, by network; others have subnets of their own. */
  readonly slices: Readonly<Record<string, string>>;
  /** Undefined where Docker itself does all of it. */
  readonly onHosts?: {
    readonly settings: object;
    readonly programs: readonly HostProgram[];
    readonly space: string;
    readonly slices: readonly NetworkSlice[];
    readonly routedIn?: { readonly network: string; readonly interface?: string };
    /** 256 random bits in base64url. */
    readonly secret: string;
    /** Goes up when it is time to look at it again; makes an update of a request that is otherwise the same. */
    readonly revisit?: number;
  };
}

/** What a firewall has to know of a host is what all others do. */
export interface RequestHost extends FirewallHost {
  /** Not used on the host: another machine under the same key must make this request another one. */
  readonly machine: string;
  readonly connection: Connection;
}

export interface SwarmRequestHost extends RequestHost {
  /** Whether its provider was to give it its address, so that it must be on one of its interfaces. @default - anything may stand before it */
  readonly attached?: true;
  /** For its containers, in CIDR form, where the overlay gives each host a subnet. */
  readonly containerSubnet?: string;
  readonly role: HostRole;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * What `swarm-up` prints, and is given back on its next run as its memory. It holds secrets (the unlock keys), so it is
 * kept as a secret as a whole, and only single other fields are taken out of it.
 */
export interface SwarmResponse extends Pick<MembershipMemory, "swarmId" | "owner" | "adopted" | "unlockKeys"> {
  /** What the hosts call the cluster as their owner. @default - as a run of version 0.1.0 did */
  readonly called?: string;
  readonly hosts: Readonly<Record<string, SwarmResponseHost>>;
  /** @default - `native`, of a run before there were others */
  readonly overlay?: Pick<OverlayRequest, "kind" | "slices">;
}

export interface SwarmResponseHost extends RememberedHost {
  readonly nodeId: string;
  readonly engine: string;
  readonly containerSubnet?: string;
}

/** A host as the last run left it. */
export interface RememberedHost extends Omit<FirewallHost, "key"> {
  /** WireGuard's, where there is a tunnel. */
  readonly publicKey?: string;
  /** How to reach the host again when it is no longer asked for; the private key is not kept. */
  readonly connection: Omit<Connection, "privateKey" | "passphrase" | "bastion">;
}

export interface NetworkRequest {
  readonly cluster: string;
  readonly name: string;
  readonly spec: NetworkSpec;
  /** Any one of them will do. */
  readonly managers: readonly { readonly key: string; readonly connection: Connection }[];
  readonly reachableSeconds: number;
  /** Any change of it makes an update of a request that is otherwise the same. */
  readonly recheck?: string;
}

type Identity = Pick<SwarmRequest, "project" | "stack">;

/**
 * Whose the firewall and the tunnel of a cluster's hosts are: by its present name and, where something is remembered of it, by what
 * it was called before. Version 0.1.0 knew neither project nor stack.
 */
export function ownerOf(
  { cluster, project, stack }: Pick<SwarmRequest, "cluster"> & Partial<Identity>,
  previous: Pick<SwarmResponse, "called"> | undefined,
): OwnerNames {
  const first = `SwarmCluster ${cluster}`;
  const name = project === undefined || stack === undefined ? first : `${first} of ${project}, stack ${stack}`;
  return previous ? [name, first, ...(previous.called === undefined ? [] : [previous.called])] : [name];
}

/** Whose the swarm is, as it carries it itself. */
export function swarmOwnerOf({ project, stack, cluster, intent }: Pick<SwarmRequest, "project" | "stack" | "cluster" | "intent">): SwarmOwner {
  return { mark: intent.mark, stack: `${project}/${stack}/${cluster}` };
}

/** Held by each run on each host of the cluster that it can reach. */
export function swarmLock(request: Pick<SwarmRequest, "cluster"> & Partial<Identity>): LockOptions {
  return { name: `pulumi-swarm-cluster.${request.cluster}`, what: ownerOf(request, undefined)[0] };
}

/** One for all pieces: two of them may keep parts of the same host. */
export function hostsLock({ owner }: Pick<HostsRequest, "owner">): LockOptions {
  return { name: "pulumi-swarm-hosts", what: owner };
}

export function ownedParts({ firewall, tunnel }: ProtectRequest): OwnedPart[] {
  return [...(firewall ? ["firewall" as const] : []), ...(tunnel ? ["tunnel" as const] : [])];
}

/** What membership needs of the last run's response. */
export function memoryOf(previous: SwarmResponse | undefined): MembershipMemory | undefined {
  if (!previous) return undefined;
  const { hosts, overlay: _overlay, called: _called, ...kept } = previous;
  return { ...kept, nodes: Object.fromEntries(Object.entries(hosts).map(([key, host]) => [key, host.nodeId])) };
}
