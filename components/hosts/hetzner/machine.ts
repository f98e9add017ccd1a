import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { transformed } from "../../transform";
import { connectionOf } from "../cloud/connection";
import { type HostKeys, hostKeys } from "../cloud/keys";
import { aFewAtATime, both } from "../cloud/few";
import type { Birth, Remembered } from "../cloud/memory";
import { oneAtATime } from "../cloud/rolling";
import { userData } from "../cloud/user-data";
import { madeAs, replacingPaths } from "../cloud/made";
import type { HostContext, HostToMake, MadeAs, Machine } from "../host";
import type { HetznerHostsArgs } from "./args";
import { behaviour } from "./behaviour";
import { newestImage } from "./image";
import { remembered } from "./memory";
import { addressName, type Common, placementOf, serverName } from "./names";
import type { SiteNetwork } from "./network";
import { architectureOf, hostArgs } from "./plan";

const { attachedAtOnce } = behaviour["hcloud:index/server:Server"].quotas;

const ignored = ["userData", "sshKeys"] as const;
const replacing = replacingPaths(behaviour["hcloud:index/server:Server"], ignored);

/** What a machine is made with, beside what the user says. */
export interface Surroundings {
  readonly common: Common;
  readonly context: HostContext;
  readonly network: SiteNetwork;
  /** What has to stand before any server does. */
  readonly closed: hcloud.Firewall;
  readonly sshKey: hcloud.SshKey;
  readonly seed: pulumi.Output<string>;
  /** Which key of the seed logs in. */
  readonly client: string;
}

/** An address, which stays, and the server that has it, which may become another one. */
export function createMachine(args: HetznerHostsArgs, host: HostToMake, surroundings: Surroundings): Machine {
  const { seed, client, common, context } = surroundings;
  const { serverType } = hostArgs(args, host.place);
  const memory = remembered(args, host, newestImage(args, architectureOf(serverType), common, context), context);
  const keys = hostKeys(seed, host.key, args.loginKey, client);
  const primaryIp = createPrimaryIp(args, host, memory.birth, surroundings);
  const { server, made } = createServer(args, host, { memory, keys, primaryIp }, surroundings);
  return {
    id: server.id,
    made,
    protected: args.protect === true,
    address: host.address ?? server.networks.apply((networks) => networks?.[0]?.ip ?? ""),
    publicAddress: primaryIp.ipAddress,
    connection: connectionOf(primaryIp.ipAddress, keys, args.bastion),
  };
}

/** It is of its location for good: a host that moves has another one, and the old one goes when nobody has it any more. */
function createPrimaryIp(
  { transform }: HetznerHostsArgs,
  host: HostToMake,
  birth: pulumi.Output<Birth>,
  { common, context }: Surroundings,
): hcloud.PrimaryIp {
  const { zone: location = "" } = host;
  const name = addressName(context.cluster, host);
  const args = {
    name,
    labels: common.labels,
    type: "ipv4",
    // Also a host that may not move is found out before anything of it is touched.
    autoDelete: pulumi.all([birth, context.checked]).apply(() => false),
    location,
  };
  return new hcloud.PrimaryIp(name, transformed(transform?.primaryIp, args), common.options(host.parent));
}

interface Parts {
  readonly memory: Remembered;
  readonly keys: pulumi.Output<HostKeys>;
  readonly primaryIp: hcloud.PrimaryIp;
}

function createServer(
  args: HetznerHostsArgs,
  host: HostToMake,
  parts: Parts,
  surroundings: Surroundings,
): { readonly server: hcloud.Server; readonly made: MadeAs } {
  const { common, context, closed } = surroundings;
  const asked = transformed(args.transform?.server, serverArgs(args, host, parts, surroundings));
  const made = madeAs(asked, replacing, parts.memory);
  const image = pulumi.all([asked.image, host.allowed]).apply(([image]) => image ?? "");
  const server = new hcloud.Server(
    `${context.cluster}-${host.key}`,
    { ...asked, image },
    {
      ...common.options(host.parent),
      dependsOn: [closed],
      // It holds the name and both addresses, which only one server can have.
      deleteBeforeReplace: true,
      // They count at the first boot only: a later form of ours must not replace machines that stand.
      ignoreChanges: [...ignored],
      replacementTrigger: parts.memory.renewed,
      hooks: both(
        aFewAtATime(context, host, common.once("network"), attachedAtOnce.most),
        oneAtATime(context, host, behaviour["hcloud:index/server:Server"]).hooks,
      ),
    },
  );
  return { server, made };
}

function serverArgs(args: HetznerHostsArgs, host: HostToMake, { memory, keys, primaryIp }: Parts, surroundings: Surroundings): hcloud.ServerArgs {
  const { common, context, network, sshKey } = surroundings;
  const { protect = false } = args;
  return {
    name: serverName(context.cluster, host.key),
    labels: common.serverLabels({ role: args.role, group: context.group }),
    ...(host.zone !== undefined && { location: host.zone }),
    serverType: hostArgs(args, host.place).serverType,
    // A smaller type can come back only as long as the disk has not grown.
    keepDisk: true,
    image: memory.image,
    publicNets: [{ ipv4Enabled: true, ipv4: primaryIp.id.apply(Number), ipv6Enabled: false }],
    networks: [{ ...network, aliasIps: [], ...(host.address !== undefined && { ip: host.address }) }],
    // Firewalls come by labels.
    ignoreRemoteFirewallIds: true,
    placementGroupId: placementGroup(args, host, surroundings).id.apply(Number),
    // Without one, Hetzner makes a password for root and sends it by mail.
    sshKeys: [sshKey.id],
    userData: keys.apply(({ login, machine }) => userData({ hostname: host.key, authorizedKey: login.publicKey, hostKey: machine })),
    // Of a protected server, the deletion is refused after the shutdown: it would be left switched off.
    shutdownBeforeDeletion: !protect,
    // Hetzner takes both or none, and nothing but an update of its own lifts them: see the table of behaviour.
    ...(protect && { deleteProtection: true, rebuildProtection: true }),
  };
}

/** Hosts of a group in one location are on different machines of Hetzner's, in tens by their numbers: no host moves another. */
function placementGroup({ transform }: HetznerHostsArgs, host: HostToMake, { common, context }: Surroundings): hcloud.PlacementGroup {
  const name = common.named(placementOf(context.group, host));
  return context.shared(common.once(`placement ${name}`), () => {
    const args = { name, labels: common.labels, type: "spread" };
    return new hcloud.PlacementGroup(name, transformed(transform?.placementGroup, args), common.options(context.parent));
  });
}
