/*
 * What a user writes in any language. Everything is flat and without unions, since that is what Pulumi's schemas can say: a choice is
 * an enum (`kind`, `provider`), and beside it stand the options of all choices; those of another one are refused by name.
 * The schema takes its descriptions from the TypeScript arguments of the same names, so they are written once.
 */

// The schema names a type as its interface is named, and "Args" is what languages add themselves.
/* eslint-disable @typescript-eslint/no-empty-object-type */
import type * as pulumi from "@pulumi/pulumi";
import type { LogLimits as EngineLogLimits } from "../components/engine/args";
import type { AdoptArgs } from "../components/membership/adopt";
import type { MembershipArgs, SwarmOptions } from "../components/membership/args";
import type { MaintenanceArgs } from "../components/walk/args";
import type { NetworkArgs } from "../components/networks/args";
import type { ProgramsArgs } from "../components/programs/args";
import type { WireGuardArgs } from "../components/underlay/wireguard/args";
import type {
  AwsAccess,
  AwsPublicAddress,
  Enforce,
  EngineSource,
  FlannelBackend,
  HostProvider,
  HostRole,
  OverlayKind,
  Protocol,
  Publish,
  UnderlayKind,
} from "./enums";

export interface ClusterArgs {
  addressSpace?: string;
  hosts: Record<string, HostGroup>;
  networks?: Record<string, Network>;
  policy?: Record<string, NetworkPolicy>;
  gateways?: Record<string, Gateway>;
  overlay?: Overlay;
  underlay?: Underlay;
  programs?: Programs;
  avoid?: string[];
  pins?: Record<string, string>;
  renumber?: string[];
  firewall?: Firewall;
  engine?: Engine;
  membership?: Membership;
  maintenance?: Maintenance;
  swarm?: Swarm;
  adopt?: Adopt;
}

/** Hosts of one kind and one role. Which options there are depends on the provider. */
export interface HostGroup {
  /** Where the hosts come from. The other options depend on it. */
  provider: HostProvider;
  /** What the hosts are in the swarm. */
  role: HostRole;
  count?: number;
  numbers?: number[];
  labels?: Record<string, string>;
  image?: string;
  /** The id of your own image, instead of `image`. */
  imageId?: pulumi.Input<string>;
  each?: Record<string, HostOverride>;
  network?: string;
  site?: string;
  mtu?: number;
  mtuOutside?: number;
  natAddress?: string;
  bastion?: Bastion;
  protect?: boolean;
  memory?: number;
  machines?: Record<string, Machine>;
  user?: string;
  port?: number;
  sudo?: boolean;
  privateKey?: pulumi.Input<string>;
  passphrase?: pulumi.Input<string>;
  previousKey?: pulumi.Input<string>;
  loginKey?: number;
  agentSocket?: string;
  proxyCommand?: string[];
  region?: string;
  zones?: string[];
  instanceType?: string;
  diskSize?: number;
  kmsKeyId?: pulumi.Input<string>;
  publicAddress?: AwsPublicAddress;
  access?: AwsAccess;
  vpc?: Vpc;
  securityGroupRules?: number;
  spot?: boolean;
  iamInstanceProfile?: pulumi.Input<string>;
  tags?: Record<string, pulumi.Input<string>>;
  location?: string;
  locations?: string[];
  serverType?: string;
  privateNetwork?: PrivateNetwork;
  hcloudLabels?: Record<string, pulumi.Input<string>>;
}

export interface HostOverride {
  instanceType?: string;
  serverType?: string;
  renew?: string;
}

export interface Machine {
  address: string;
  privateAddress?: string;
  publicAddress?: string;
  hostKey: string;
  user?: string;
  port?: number;
  labels?: Record<string, string>;
}

export interface Bastion {
  address: string;
  hostKey: string;
  user?: string;
  port?: number;
  privateKey?: pulumi.Input<string>;
}

export interface Vpc {
  id: pulumi.Input<string>;
  cidr: pulumi.Input<string>;
  subnets: Record<string, Subnet>;
}

export interface Subnet {
  id: pulumi.Input<string>;
  cidr: pulumi.Input<string>;
}

export interface PrivateNetwork {
  id: pulumi.Input<string>;
  cidr: pulumi.Input<string>;
  subnetId?: pulumi.Input<string>;
}

export interface Network extends NetworkArgs {}

export interface Gateway {
  to: string;
  port: number;
  targetPort?: number;
  on: string;
  networks: string[];
  protocol?: Protocol;
  program?: Program;
}

export interface Overlay {
  /** What carries traffic between containers on different hosts. The other options depend on it. */
  kind: OverlayKind;
  encrypted?: boolean;
  dataPathPort?: number;
  rotation?: string;
  trustSites?: boolean;
  fastDatapath?: boolean;
  router?: Program;
  backend?: FlannelBackend;
  hostPrefix?: number;
  hostsPerGroup?: number;
  mostHosts?: number;
  slicePrefix?: number;
  bridge?: string;
  /** Makes no Docker network on each host for containers outside the swarm's networks. */
  noBridge?: boolean;
  program?: Program;
  etcd?: Etcd;
  asNumber?: number;
  reflectors?: string[];
  bfd?: boolean;
  peers?: Record<string, BgpPeer>;
  trunks?: Record<string, VlanTrunk>;
}

/** A VLAN of your own switch, whose machines take part in a network of the cluster. */
export interface VlanTrunk {
  interface: string;
  vlan: number;
  network: string;
  on?: string;
}

/** Your own router, to which hosts announce their containers. */
export interface BgpPeer {
  address: string;
  as: number;
  password?: pulumi.Input<string>;
  on?: string;
  announce?: string[];
  /** What hosts take from the router: IPv4 networks in CIDR form, or "default" for a default route. Never the cluster's own subnets, or the hosts' network. Default: nothing. */
  accept?: string[];
  bfd?: boolean;
}

export interface Etcd {
  on?: string[];
  rotation?: string;
  program?: Program;
  allowVulnerable?: string;
}

export interface Underlay extends WireGuardArgs {
  /** What carries traffic between nodes. `direct` has no other options. */
  kind: UnderlayKind;
}

export interface Programs extends ProgramsArgs {}

/** An image, or a file with its checksum: one of both. */
export interface Program {
  version?: string;
  image?: string;
  digest?: string;
  url?: string;
  sha256?: string;
}

export interface Firewall {
  ssh?: string[];
  expose?: Record<string, Expose>;
  allow?: Record<string, Allow>;
  rules?: Record<string, Rule>;
  enforce?: Enforce;
}

export interface Expose {
  port?: number;
  /** Several ports, or ranges such as "30000-30100", instead of `port`. */
  ports?: string[];
  protocol?: Protocol;
  from: string[];
  on?: string;
  publish?: Publish;
}

export interface Allow {
  port?: number;
  /** Several ports, or ranges such as "30000-30100", instead of `port`. */
  ports?: string[];
  protocol?: Protocol;
  from: string[];
  on?: string;
  reason?: string;
}

/** Who may connect to containers of a network, beside those of the network itself. */
export interface NetworkPolicy {
  from: string[];
  to: string[];
  port?: number;
  /** Several ports, or ranges such as "30000-30100", instead of `port`. */
  ports?: string[];
  protocol?: Protocol;
}

export interface Rule {
  from: string[];
}

export interface Engine {
  source?: EngineSource;
  version?: string;
  downgradeFrom?: string;
  repository?: string;
  // What Docker's daemon.json takes is Docker's business.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  settings?: Record<string, any>;
  registryMirrors?: string[];
  logLimits?: LogLimits;
  metrics?: boolean;
}

export interface LogLimits extends EngineLogLimits {}

/** Pulumi's analysis of a component knows no readonly lists. */
export interface Membership extends MembershipArgs {
  replaceManagers?: string[];
  forget?: string[];
}

export interface Maintenance extends MaintenanceArgs {
  drained?: string[];
}

export interface Swarm extends SwarmOptions {}

export interface Adopt extends AdoptArgs {}
