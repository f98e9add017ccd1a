import type { FirewallRule } from "../firewall/rule";
import { plannedMember, siteRules } from "../hosts/cloud-rules";
import type { PlannedHost } from "../hosts/host";
import { type PlannedName, stashType } from "../names/name";
import type { Groups } from "../hosts/plan";
import type { EncryptionChannel } from "../addresses/encryption";
import type { PlannedSubnet } from "../addresses/subnets";
import type { HostProgram } from "../programs/program";
import type { NetworkPolicy } from "../network-policy/policy";
import type { PlannedPeer } from "../overlays/peers";
import type { PlannedTrunk } from "../overlays/trunks";
import { slug } from "../slug";

const renameGroup = "rename one of the groups, but not one that is deployed already";

/** Name of the resource that shows a part of the plan. */
export function shownName(cluster: string, words: string): string {
  return `${cluster}-${slug(words)}`;
}

/** Of the stash that tells since when an owner has its place. */
export function sinceName(cluster: string, owner: string): string {
  return shownName(cluster, `since ${owner}`);
}

/** What shows a plan in the preview. */
export interface ShownPlan {
  readonly firewall: readonly FirewallRule[];
  /** @default - none */
  readonly policies?: readonly NetworkPolicy[];
  /** @default - none */
  readonly peers?: readonly PlannedPeer[];
  /** @default - none */
  readonly trunks?: readonly PlannedTrunk[];
  readonly encryption: readonly EncryptionChannel[];
  readonly programs: readonly HostProgram[];
  readonly subnets: readonly PlannedSubnet[];
  /** Which subnets remember their place. */
  readonly remembers: (owner: string) => boolean;
}

/** Names of the rules that the user writes, by where they are written. */
export interface OwnRules {
  readonly expose: readonly string[];
  readonly allow: readonly string[];
}

/** Resources that show the plan, under their component. */
export function shownNames(cluster: string, plan: ShownPlan, own: OwnRules): PlannedName[] {
  const { firewall, policies = [], peers = [], trunks = [], encryption, programs, subnets, remembers } = plan;
  return [
    ...subnets.flatMap(({ owner }): PlannedName[] => {
      const resource = { type: "pulumi-swarm:index:SubnetAssignment", name: shownName(cluster, owner), ...ownerOf(owner) };
      return [resource, ...(remembers(owner) ? [{ ...resource, type: `${resource.type}$${stashType}` }] : [])];
    }),
    ...firewall.map(({ name }): PlannedName => ({
      type: "pulumi-swarm:index:FirewallRule",
      name: shownName(cluster, name),
      ...ruleOf(name, own),
    })),
    ...policies.map(({ name }): PlannedName => ({
      type: "pulumi-swarm:index:NetworkPolicy",
      name: shownName(cluster, name),
      of: `the policy "${name}"`,
      path: `policy.${name}`,
      fix: "choose another name for the policy",
    })),
    ...peers.map(({ name }): PlannedName => ({
      type: "pulumi-swarm:index:BgpPeer",
      name: shownName(cluster, name),
      of: `the router ${name}`,
      path: `overlay.peers.${name}`,
      fix: "choose another name for the router",
    })),
    ...trunks.map(({ name }): PlannedName => ({
      type: "pulumi-swarm:index:VlanTrunk",
      name: shownName(cluster, name),
      of: `the trunk ${name}`,
      path: `overlay.trunks.${name}`,
      fix: "choose another name for the trunk",
    })),
    ...encryption.map(({ channel }): PlannedName => ({
      type: "pulumi-swarm:index:Encryption",
      name: shownName(cluster, channel),
      of: `the encryption of ${channel}`,
      path: "overlay",
    })),
    ...programs.map(({ name }): PlannedName => ({
      type: "pulumi-swarm:index:HostProgram",
      name: shownName(cluster, name),
      of: `the program ${name}`,
      path: "overlay",
    })),
  ];
}

/** An owner's words are those of the preview: `network web`, `site edge a`, `tunnel edge`. */
function ownerOf(owner: string): Pick<PlannedName, "of" | "path"> {
  const [kind = "", key = "", ...more] = owner.split(" ");
  switch (kind) {
    case "network":
    case "slice":
    case "ranges":
      return { of: `network ${key}`, path: `networks.${key}` };
    case "site":
      return { of: more.length === 0 ? `group ${key}` : `group ${key} in zone ${more.join(" ")}`, path: `hosts.${key}` };
    case "tunnel":
    case "containers":
    case "places":
      return { of: `group ${key}${more.length === 0 ? "" : ` (${more.join(" ")})`}`, path: `hosts.${key}` };
    case "trunks":
      return { of: "the place of machines on trunks", path: "overlay.trunks" };
    default:
      return { of: `Docker's own subnet ${owner}`, path: "addressSpace" };
  }
}

function ruleOf(name: string, { expose, allow }: OwnRules): Omit<PlannedName, "type" | "name"> {
  const own = { of: `the rule ${name}`, fix: "choose another name for the rule" };
  if (expose.includes(name)) return { ...own, path: `firewall.expose.${name}` };
  if (allow.includes(name)) return { ...own, path: `firewall.allow.${name}` };
  // Those of a group end with its key: `ssh control`.
  const [, group] = name.split(" ");
  const builtIn = `the built-in rule "${name}"`;
  return group === undefined ? { of: builtIn, path: "firewall" } : { of: builtIn, path: `hosts.${group}`, fix: renameGroup };
}

/** Hosts, and what their providers make for them. */
export function hostNames(
  cluster: string,
  { groups, hosts, rules }: { readonly groups: Groups; readonly hosts: readonly PlannedHost[]; readonly rules: readonly FirewallRule[] },
): PlannedName[] {
  // Of two hosts with one name the plan has told already.
  const distinct = [...new Map([...hosts].reverse().map((host) => [host.key, host])).values()].reverse();
  const members = distinct.map(plannedMember);
  return groups.flatMap(([group, provider]) => {
    const own = distinct.filter((host) => host.group === group);
    const [of, path] = [`group ${group}`, `hosts.${group}`];
    const context = { cluster, group, hosts: own, rules: siteRules(provider.site.key, distinct, rules), members };
    return [...own.map(({ key }): PlannedName => ({ type: hostType, name: `${cluster}-${key}`, of, path })), ...(provider.names?.(context) ?? [])];
  });
}

const hostType = "pulumi-swarm:index:Host";
