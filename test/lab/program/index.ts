import * as pulumi from "@pulumi/pulumi";
import {
  calico,
  flannel,
  type HostGroup,
  native,
  type NetworkArgs,
  openvswitch,
  type Overlay,
  type OverlayKind,
  SwarmCluster,
  type SwarmClusterArgs,
  weave,
  wireguard,
  type WireGuardArgs,
} from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";
import * as local from "pulumi-swarm/local";

/** A cluster as the tests describe it, in one configuration value. */
interface Spec {
  readonly local?: Record<string, local.LocalHostsArgs>;
  readonly existing?: Record<string, existing.ExistingHostsArgs>;
  readonly networks?: Record<string, NetworkArgs>;
  readonly policy?: NonNullable<SwarmClusterArgs["policy"]>;
  readonly gateways?: NonNullable<SwarmClusterArgs["gateways"]>;
  readonly addressSpace?: string;
  readonly reachableSeconds?: number;
  readonly drainSeconds?: number;
  readonly recheck?: string;
  readonly recover?: string;
  readonly forget?: readonly string[];
  /** @default - direct */
  readonly wireguard?: WireGuardArgs;
  /** One of them. @default - native */
  readonly overlay?: Partial<Record<OverlayKind, object>>;
  readonly adopt?: NonNullable<SwarmClusterArgs["adopt"]>;
  readonly programs?: NonNullable<SwarmClusterArgs["programs"]>;
  readonly firewall?: NonNullable<SwarmClusterArgs["firewall"]>;
  readonly swarm?: NonNullable<SwarmClusterArgs["swarm"]>;
  readonly engine?: NonNullable<SwarmClusterArgs["engine"]>;
  readonly maintenance?: NonNullable<SwarmClusterArgs["maintenance"]>;
}

const config = new pulumi.Config();
const spec = config.requireObject<Spec>("spec");
const privateKey = config.getSecret("privateKey");

const hosts: Record<string, HostGroup> = {};
for (const [key, group] of Object.entries(spec.local ?? {})) hosts[key] = local.hosts(group);
for (const [key, group] of Object.entries(spec.existing ?? {})) hosts[key] = existing.hosts({ ...(privateKey && { privateKey }), ...group });

const routerPassword = config.getSecret("routerPassword");

const overlays: Record<OverlayKind, (args: object) => Overlay> = { native, weave, flannel, calico, openvswitch };

function chosen(one: NonNullable<Spec["overlay"]>): Overlay {
  const [[kind, args] = ["native", {}] as const] = Object.entries(one) as [OverlayKind, object][];
  const { peers, ...others } = args as { readonly peers?: Readonly<Record<string, object>> };
  if (!peers) return overlays[kind](args);
  const signed = Object.entries(peers).map(([name, peer]) => [name, { ...peer, ...(routerPassword && { password: routerPassword }) }]);
  return overlays[kind]({ ...others, peers: Object.fromEntries(signed) });
}

const swarm = new SwarmCluster(pulumi.getStack(), {
  hosts,
  ...(spec.addressSpace !== undefined && { addressSpace: spec.addressSpace }),
  ...(spec.networks && { networks: spec.networks }),
  ...(spec.policy && { policy: spec.policy }),
  ...(spec.gateways && { gateways: spec.gateways }),
  ...(spec.wireguard && { underlay: wireguard(spec.wireguard) }),
  ...(spec.overlay && { overlay: chosen(spec.overlay) }),
  ...(spec.adopt && { adopt: spec.adopt }),
  ...(spec.programs && { programs: spec.programs }),
  ...(spec.firewall && { firewall: spec.firewall }),
  ...(spec.swarm && { swarm: spec.swarm }),
  ...(spec.engine && { engine: spec.engine }),
  ...(spec.maintenance && { maintenance: spec.maintenance }),
  membership: {
    reachableSeconds: spec.reachableSeconds ?? 60,
    drainSeconds: spec.drainSeconds ?? 60,
    ...(spec.recheck !== undefined && { recheck: spec.recheck }),
    ...(spec.recover !== undefined && { recover: spec.recover }),
    ...(spec.forget && { forget: spec.forget }),
  },
});

export const dockerHost = swarm.dockerHost;
export const swarmId = swarm.swarmId;
export const hostsMade = swarm.hosts;
export const networksMade = swarm.networks;
export const connections = swarm.connections;
export const prometheus = swarm.prometheus;
export const plan = swarm.plan;
