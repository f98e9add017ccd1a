import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { transformed } from "../../transform";
import { clientKey, keySeed } from "../cloud/keys";
import type { AdmitContext, HostContext, HostGroup, Machine } from "../host";
import { imageWarnings } from "../cloud/image";
import { readGroup } from "../group";
import { hetznerHostsOptions, type HetznerHostsArgs } from "./args";
import { admit, closedFirewall } from "./firewalls";
import { createMachine } from "./machine";
import { type Common, commonOf } from "./names";
import { siteNetwork } from "./network";
import { architectureOf, type HetznerPlan, hostArgs, planHetznerHosts } from "./plan";
import { plannedNames } from "./planned";
import { checkRules } from "./rules";

export type { HetznerBastion, HetznerHostArgs, HetznerHostsArgs, HetznerImage, HetznerLocation, HetznerNetwork, HetznerTransform } from "./args";

/**
 * Hosts on Hetzner Cloud: their own private network, and firewalls that allow from the Internet what the plan allows. Each host
 * has a planned private address and a public one, which stay when the server is replaced.
 *
 * @example
 * new SwarmCluster("prod", {
 *   firewall: { ssh: ["203.0.113.0/24"] },
 *   hosts: { control: hetzner.hosts({ role: "manager", count: 3, locations: ["fsn1", "nbg1", "hel1"] }) },
 * });
 */
export function hosts(args: HetznerHostsArgs): HostGroup {
  return readGroup("hetzner", args, hetznerHostsOptions, describe);
}

function describe(args: HetznerHostsArgs): HostGroup {
  const plan = planHetznerHosts(args);
  const { site, hosts: described, addressing, problems } = plan;
  return {
    provider: "hetzner",
    role: args.role,
    site,
    hosts: described,
    addressing,
    problems,
    noContainerRoutes: "Hetzner's private network hands on packets of its own addresses alone",
    ...(args.labels && { labels: args.labels }),
    warnings: () => imageWarnings(args.image, described, (place) => architectureOf(String(hostArgs(args, place).serverType))),
    ...(args.privateNetwork && { networkOption: "privateNetwork.cidr" }),
    checkRules: (context) => checkRules(args.role, site.key, context),
    names: (context) => plannedNames(args, site.key, context),
    create: (context) => createMachines(args, plan, context),
    admit: (context: AdmitContext) => admit(args, site.key, commonOf(args, site.key, context), context),
  };
}

function createMachines(args: HetznerHostsArgs, { site, networkZone }: HetznerPlan, context: HostContext): ReadonlyMap<string, Machine> {
  const common = commonOf(args, site.key, context);
  const network = siteNetwork(args, networkZone, common, context);
  const closed = closedFirewall(args, common, context);
  const seed = keySeed("hetzner", context);
  const client = `client ${site.key}`;
  const surroundings = { common, context, network, closed, seed, client, sshKey: sshKey(args, clientKey(seed, client), common, context) };
  return new Map(context.hosts.map((host) => [host.key, createMachine(args, host, surroundings)]));
}

/** A project takes a key once, so that each site has its own. */
function sshKey(
  { transform }: HetznerHostsArgs,
  client: ReturnType<typeof clientKey>,
  { named, labels, once, options }: Common,
  { parent, shared }: HostContext,
): hcloud.SshKey {
  return shared(once("key"), () => {
    const publicKey = pulumi.unsecret(client.apply((key) => key.publicKey));
    return new hcloud.SshKey(named(), transformed(transform?.sshKey, { name: named(), labels, publicKey }), options(parent));
  });
}
