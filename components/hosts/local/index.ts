import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Cidr, isCidr } from "../../addresses/cidr";
import type { Connection } from "../../remote/connection";
import { deriveSshKey } from "../../remote/ssh-key";
import { isImage } from "../../programs/plan";
import { show } from "../../report";
import { rememberedSecret } from "../../secret";
import { transformed } from "../../transform";
import { keysName } from "../cloud/keys";
import { madeAs } from "../cloud/made";
import { underHost } from "../cloud/planned";
import { type HostContext, type HostGroup, type HostToMake, type Machine } from "../host";
import type { Problem } from "../../report";
import { numberedHosts } from "../numbered";
import { type PlannedName, stashType } from "../../names/name";
import { type NamesContext } from "../host";
import { readGroup } from "../group";
import { localHostsOptions, type LocalHostsArgs } from "./args";
import { hostImage } from "./image";
import { withHostImage } from "./image-hook";

export type { LocalHostsArgs } from "./args";

const defaultNetwork = "10.213.0.0/16";
const dockerMtu = 1500;
/** 64 TiB in MiB. */
const mostMemory = 64 * 2 ** 20;
/** Arguments of a container that make it another one, as far as we give them; `image` and `securityOpts` do not, since we ignore their changes. */
const replacing = ["name", "hostname", "networksAdvanced", "capabilities", "cgroupnsMode", "stopSignal", "envs", "tmpfs", "volumes", "devices"];

/**
 * Hosts for experiments, tests and demonstrations.
 *
 * @example
 * new SwarmCluster("lab", { hosts: { control: local.hosts({ role: "manager", count: 3 }) } });
 */
export function hosts(args: LocalHostsArgs): HostGroup {
  return readGroup("local", args, localHostsOptions, describe);
}

function describe(args: LocalHostsArgs): HostGroup {
  const { hosts: described, problems } = numberedHosts(args);
  const network = args.network ?? defaultNetwork;
  return {
    provider: "local",
    role: args.role,
    // The network is part of the site's name: two networks are two sites.
    site: { key: `local ${network}`, network, mtu: dockerMtu },
    hosts: described,
    addressing: "planned",
    adminSources: gatewayOf(network),
    problems: [...problems, ...checkMemory(args.memory), ...checkImage(args.image)],
    ...(args.labels && { labels: args.labels }),
    names: (context) => plannedNames(network, context),
    create: (context) => createMachines(args, network, context),
  };
}

/** The names of all that is made for a group and for its site. */
function plannedNames(network: string, { cluster, group, hosts: own }: NamesContext): PlannedName[] {
  const [path, of] = [`hosts.${group}`, `group ${group}`];
  return [
    { type: stashType, name: keysName(cluster, "local"), of: "the keys of local hosts", path },
    { type: "resource hook", name: `${cluster}-local image`, of: "the image of local hosts", path, anywhere: true },
    { type: "docker:index/network:Network", name: `${cluster}-local-site${suffixOf(network)}`, of: `site "local ${network}"`, path },
    ...own.flatMap(({ key }): PlannedName[] => [
      { type: `${underHost}docker:index/container:Container`, name: `${cluster}-${key}`, of, path },
      { type: "name of a container of this machine's Docker", name: `${cluster}-${key}`, of, path, anywhere: true },
    ]),
  ];
}

/** The usual network has none in its name. */
function suffixOf(network: string): string {
  return network === defaultNetwork ? "" : `-${network.replaceAll(/[./]/g, "-")}`;
}

/** Only this machine reaches the hosts, and they see it as the gateway of their network. */
function gatewayOf(network: string): string[] {
  const cidr = Cidr.parse(network);
  return isCidr(cidr) ? [`${cidr.address(1)}/32`] : [];
}

function checkImage(image: string | undefined): Problem[] {
  if (image === undefined || isImage(image)) return [];
  return [{ path: "image", message: `${show(image)} is not the name of an image`, fix: `write such as ${show(hostImage)}, or leave it out` }];
}

function checkMemory(memory: number | undefined): Problem[] {
  if (memory === undefined || (Number.isInteger(memory) && memory >= 256 && memory <= mostMemory)) return [];
  if (Number.isInteger(memory) && memory > mostMemory) {
    const message = `${memory} MiB are more than a machine has, and look like bytes`;
    return [{ path: "memory", message, fix: `write memory: ${Math.max(256, Math.round(memory / 2 ** 20))}` }];
  }
  const message = typeof memory === "number" && memory < 256 ? `${memory} MiB are not enough for a host` : `${show(memory)} is not a number of MiB`;
  return [{ path: "memory", message, fix: "give a whole number, 256 or more, or leave it out" }];
}

function createMachines(args: LocalHostsArgs, network: string, context: HostContext): ReadonlyMap<string, Machine> {
  const seed = context.shared("local keys", () => keySeed(context));
  const site = context.shared(`local ${network}`, () => siteNetwork(args, network, context));
  return new Map(context.hosts.map((host) => [host.key, createMachine(args, host, seed, site, context)]));
}

/** One secret, made at the first `up` and kept in the state, from which all keys of the local hosts follow. */
function keySeed({ cluster, parent, checked }: HostContext): pulumi.Output<string> {
  const secret = rememberedSecret(keysName(cluster, "local"), parent);
  // All hosts need it, so none of them is touched before the addresses are known to be right.
  return pulumi.all([secret, checked]).apply(([seed]) => seed);
}

function siteNetwork(args: LocalHostsArgs, network: string, { cluster, parent }: HostContext): docker.Network {
  const gateway = gatewayOf(network)[0]?.replace("/32", "") ?? "";
  const suffix = suffixOf(network);
  return new docker.Network(
    `${cluster}-local-site${suffix}`,
    transformed(args.transform?.network, {
      name: `${cluster}-site${suffix}`,
      driver: "bridge",
      // Without the gateway, a refresh finds one and the next update replaces the network with all its hosts.
      ipamConfigs: [{ subnet: network, gateway }],
    }),
    { parent },
  );
}

function createMachine(args: LocalHostsArgs, host: HostToMake, seed: pulumi.Output<string>, site: docker.Network, context: HostContext): Machine {
  const { cluster } = context;
  const address = host.address ?? "";
  // Few outputs a host: each costs the engine's client a millisecond, and there may be a thousand hosts.
  const keys = seed.apply((secret) => ({ client: deriveSshKey(secret, "client"), machine: deriveSshKey(secret, `host ${host.key}`) }));
  const asked = transformed(args.transform?.container, {
    name: `${cluster}-${host.key}`,
    hostname: host.key,
    image: args.image ?? hostImage,
    networksAdvanced: [{ name: site.name, ipv4Address: address }],
    // Not "privileged": where the outer machine itself lacks a capability, that cannot start.
    // "CAP_" must be spelt out, or a refresh shows a difference that replaces the host.
    capabilities: { adds: ["ALL"], drops: ["CAP_SYS_RESOURCE"] },
    securityOpts: ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"],
    cgroupnsMode: "private",
    stopSignal: "SIGRTMIN+3",
    envs: ["container=docker"],
    tmpfs: { "/run": "", "/run/lock": "" },
    volumes: [{ containerPath: "/var/lib/docker" }],
    devices: [{ hostPath: "/dev/net/tun", containerPath: "/dev/net/tun", permissions: "rwm" }],
    restart: "unless-stopped",
    uploads: keys.apply(({ client, machine }) => [
      { file: "/etc/ssh/ssh_host_ed25519_key", content: machine.privateKey, permissions: "0600" },
      { file: "/root/.ssh/authorized_keys", content: `${client.publicKey}\n`, permissions: "0600" },
    ]),
    ...(args.memory !== undefined && { memory: args.memory }),
  });
  const container = new docker.Container(
    `${cluster}-${host.key}`,
    { ...asked, restart: pulumi.all([asked.restart, host.allowed]).apply(([restart]) => restart ?? "no") },
    {
      parent: host.parent,
      // Its name and its address are taken as long as the old one is there.
      deleteBeforeReplace: true,
      // The provider reads both of these back otherwise than they were given; without this, a refresh replaces every host.
      ignoreChanges: ["securityOpts", "image"],
      ...(asked.image === hostImage && withHostImage(context)),
    },
  );
  const connection = keys.apply(({ client, machine }): Connection => ({
    host: address,
    user: "root",
    privateKey: client.privateKey,
    hostKey: machine.publicKey,
  }));
  const made = madeAs(asked, replacing, {});
  return { id: container.id, made, address, connection };
}
