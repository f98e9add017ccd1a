import type { EngineArgs } from "../engine/args";
import type { BridgePlan } from "../engine/bridges";
import type { DoneMaintenance } from "../maintenance/due";
import type { HostNeeds } from "../engine/needs";
import type { RoutedNetwork } from "../firewall/nftables";
import type { FirewallHost, FirewallRule } from "../firewall/rule";
import type { HostRole } from "../hosts/host";
import type { AdoptArgs } from "../membership/adopt";
import type { SwarmOptions } from "../membership/args";
import type { GatewaySpec } from "../gateways/api";
import type { PoliciesOnHosts } from "../network-policy/compile";
import type { NetworkSpec } from "../networks/api";
import type { NetworkSlice } from "../overlays/docker-network";
import type { NetworkRanges } from "../overlays/ranges";
import type { OwnedPart, OwnerNames } from "../owner";
import type { OverlayKind } from "../overlays/overlay";
import type { HostProgram } from "../programs/program";
import type { MembershipMemory, SwarmOwner } from "../membership/types";
import type { Connection } from "../remote/connection";
import type { LockOptions } from "./phases/lock";
import type { Tunnel } from "../underlay/underlay";
import type { MaintenanceArgs } from "../walk/args";

/**
 * What the programs in this folder are given on standard input by the resources that run them. It holds private keys,
 * so it is a secret as a whole.
 */
export interface SwarmRequest extends ProtectRequest {
  readonly cluster: string;
  readonly project: string;
  readonly stack: string;
  readonly intent: Intent;
  /** Opens what is remembered on the managers. 256 random bits in base64url. */
  readonly memoryKey: string;
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
  /** How members are taken out of service. @default - as its defaults say, of a request before it was there */
  readonly maintenance?: MaintenanceArgs;
  readonly abandonedSwarm?: string;
  readonly recover?: string;
  /** Keys of hosts that left uncleaned and are given up. */
  readonly forget?: readonly string[];
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
  /** To managers of this request and of earlier ones, where the memory may lie. As many as fit. */
  readonly ways?: readonly Way[];
  /** Keys of hosts that come first among the managers of this request, or did of earlier ones. @default - not known, of an earlier version */
  readonly firstManagers?: readonly string[];
}

/** How a host is reached. */
export type Way = Pick<RequestHost, "key" | "connection">;

/** What `intent` is told beside what the deletion needs. */
export interface IntentRequest {
  readonly hosts: readonly Way[];
  /** Keys of the hosts where the memory lies. */
  readonly holders: readonly string[];
}

/** What `nodes` is told. */
export interface NodesRequest extends Pick<SwarmRequest, "cluster" | "memoryKey" | "reachableSeconds"> {
  readonly hosts: readonly Way[];
  /** {@link SwarmUpResponse.told} of the swarm's last run; of one that did not say it, all that it printed. It makes this request another one. */
  readonly run: string;
}

/** What `nodes` prints. */
export interface NodesResponse {
  readonly hosts: Readonly<Record<string, Pick<SwarmResponseHost, "address" | "nodeId" | "engine" | "maintained">>>;
}

/** What `swarm-up` prints: little, whatever the number of hosts, as it comes back in an environment variable. */
export interface SwarmUpResponse {
  readonly swarmId: string;
  /** Of what is remembered on the managers. */
  readonly generation: number;
  /** How often the swarm was formed anew: managers that were away then remember less. @default 0 */
  readonly recovered?: number;
  /** Another text exactly when there is something else to tell of a host. @default - of a run of 0.1.0 */
  readonly told?: string;
}

/** What `swarm-down` is told: no more than it needs, and what makes the resource another one whenever more is asked for. */
export interface SwarmDownRequest
  extends Pick<SwarmRequest, "cluster" | "tunnel" | "reachableSeconds" | "adopt">, Partial<Identity & Pick<SwarmRequest, "memoryKey">> {
  readonly hosts: readonly Pick<SwarmRequestHost, "key" | "connection">[];
}

/** The same of `hosts-down`. */
export interface HostsDownRequest extends ProtectRequest, Pick<HostsRequest, "owner" | "reachableSeconds">, Partial<Pick<HostsRequest, "memory">> {
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
  /** Of what is remembered on the first few hosts. */
  readonly memory: { readonly name: string; readonly key: string };
}

/** What is known of hosts alone, kept on the first few of them. Version 0.1.0 printed it. */
export interface HostsMemory extends HostsResponse {
  readonly generation: number;
  /** Of the intent whose hosts they are. */
  readonly mark: string;
}

/** What `hosts-up` prints: as little as a mesh's users need. */
export interface HostsUpResponse {
  readonly publicKeys: Readonly<Record<string, string>>;
}

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
  /** By network, its slice of hosts' subnets, or the subnet of which each host has a range; others have subnets of their own alone. */
  readonly slices: Readonly<Record<string, string>>;
  /** Undefined where Docker itself does all of it. */
  readonly onHosts?: {
    readonly settings: object;
    readonly programs: readonly HostProgram[];
    readonly space: string;
    readonly slices: readonly NetworkSlice[];
    readonly ranges?: NetworkRanges;
    /** What is let through between networks. @default - nothing */
    readonly policy?: PoliciesOnHosts;
    readonly routedIn?: RoutedNetwork;
    /** 256 random bits in base64url. */
    readonly secret: string;
    /** The user's own secrets, by what the overlay calls them. @default - none */
    readonly passwords?: Readonly<Record<string, string>>;
    /** Goes up when it is time to look at it again; makes an update of a request that is otherwise the same. */
    readonly revisit?: number;
  };
}

/** What a firewall lets through so that containers on different hosts reach each other. */
export interface OverlayWays {
  /** On which the overlay carries containers' packets. */
  readonly rules: readonly FirewallRule[];
  /** @default - containers' packets do not come in as they are */
  readonly routedIn?: RoutedNetwork;
}

/** An overlay as the last run left it. */
export interface RememberedOverlay extends Pick<OverlayRequest, "kind" | "slices"> {
  /** @default - not known, of a run before they were remembered */
  readonly ways?: OverlayWays;
}

/** Networks that a change of the overlay took away, for their own resources to make anew. */
export interface RemovedNetworks {
  readonly names: readonly string[];
  /** What they were on. */
  readonly from: Pick<OverlayRequest, "kind" | "slices">;
  /** The request's own by then: with another one all networks are looked at. */
  readonly recheck?: string | undefined;
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

/** What is known of a cluster. It holds secrets: the unlock keys, and how hosts are reached. Version 0.1.0 printed it, as its memory. */
export interface SwarmResponse extends Pick<MembershipMemory, "swarmId" | "owner" | "adopted" | "unlockKeys" | "recovered"> {
  /** What hosts may call the cluster as their owner. @default - as a run of version 0.1.0 did */
  readonly called?: readonly string[];
  readonly hosts: Readonly<Record<string, SwarmResponseHost>>;
  /** @default - `native`, of a run before there were others */
  readonly overlay?: RememberedOverlay;
  /** @default - none that may be missing */
  readonly removed?: RemovedNetworks | undefined;
}

/** The same, as it lies on the managers. */
export interface SwarmMemory extends SwarmResponse {
  readonly generation: number;
}

export type Remembered = SwarmResponseHost;

export interface SwarmResponseHost extends RememberedHost {
  readonly nodeId: string;
  readonly engine: string;
  /** What was done to it last. @default - nothing was asked for */
  readonly maintained?: DoneMaintenance;
  readonly containerSubnet?: string;
}

/** A host as the last run left it. */
export interface RememberedHost extends Omit<FirewallHost, "key"> {
  /** WireGuard's, where there is a tunnel. */
  readonly publicKey?: string;
  /** How to reach the host again when it is no longer asked for. Version 0.1.0 kept no key and no bastion. */
  readonly connection: Connection;
  /** A machine of the user's own, which lives on when it is taken out of the program. */
  readonly ownMachine?: true;
  /** No longer a member, nor anybody's peer, but not cleaned yet: it could not be reached. */
  readonly struckOff?: true;
}

/** What any manager can do. */
export interface ManagersRequest {
  readonly cluster: string;
  /** Any one of them will do. */
  readonly managers: readonly { readonly key: string; readonly connection: Connection }[];
  readonly reachableSeconds: number;
  /** Any change of it makes an update of a request that is otherwise the same. */
  readonly recheck?: string;
}

export interface NetworkRequest extends ManagersRequest {
  readonly name: string;
  readonly spec: NetworkSpec;
  /**
   * Kind of the overlay, for networks that take their addresses from hosts: one overlay's may be as another's to Docker, and they are removed
   * where the overlay is changed. So the request is another one then, and the network is made again. @default - flannel's, or others that
   * differ by their drivers
   */
  readonly overlay?: string;
  /** Whether its deletion leaves it where something uses it. @default false */
  readonly keepUsed?: boolean;
}

export interface GatewayRequest extends ManagersRequest {
  readonly name: string;
  readonly spec: GatewaySpec;
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
  return [name, ...(previous ? (previous.called ?? [first]) : [])];
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

/** Of a cluster's hosts also what an overlay puts there. */
export function clusterParts(request: Pick<SwarmRequest, "firewall" | "overlay"> & ProtectRequest): OwnedPart[] {
  return [...ownedParts(request), ...(request.overlay.onHosts ? ["overlay" as const] : [])];
}

/** What membership needs of the last run's response. */
export function memoryOf(previous: SwarmResponse | undefined): MembershipMemory | undefined {
  // Of a run that never got as far as a swarm.
  if (!previous || previous.swarmId === "") return undefined;
  const { hosts, overlay: _overlay, removed: _removed, called: _called, ...kept } = previous;
  return { ...kept, nodes: Object.fromEntries(Object.entries(hosts).map(([key, host]) => [key, host.nodeId])) };
}
