import type * as pulumi from "@pulumi/pulumi";
import type { HostSelector } from "../../firewall/rule";
import { slug } from "../../slug";
import type { HostContext, HostRole, HostToMake } from "../host";
import type { HetznerHostsArgs } from "./args";
import { behaviour } from "./behaviour";

/** Begins all labels by which firewalls find their servers. */
export const ownLabels = "pulumi-swarm/";

/** What all resources of a group have in common: by whom they are made, and how they are called. */
export interface Common {
  /** Name of a resource that the site's groups share. Hetzner takes a name once in a project. */
  readonly named: (what?: string) => string;
  readonly labels: Readonly<Record<string, pulumi.Input<string>>>;
  /** Labels of a server, for the firewalls' selectors. */
  readonly serverLabels: (host: { readonly role: HostRole; readonly group: string }) => Readonly<Record<string, pulumi.Input<string>>>;
  /** The servers of the site that a rule is for, as Hetzner's label selectors have it. */
  readonly selector: (hosts: HostSelector) => string;
  /** A key for what is made once per site. */
  readonly once: (what: string) => string;
  readonly options: (parent: pulumi.Resource) => pulumi.CustomResourceOptions;
}

export function commonOf(args: HetznerHostsArgs, site: string, { cluster }: Pick<HostContext, "cluster">): Common {
  const place = { [`${ownLabels}cluster`]: labelValue(cluster), [`${ownLabels}site`]: labelValue(site) };
  return {
    named: (what) => [slug(cluster), slug(site), ...(what === undefined ? [] : [slug(what)])].join("-"),
    labels: { ...args.hcloudLabels, ...place },
    serverLabels: ({ role, group }) => ({
      ...args.hcloudLabels,
      ...place,
      [`${ownLabels}role`]: role,
      [`${ownLabels}group`]: group,
    }),
    selector: (hosts) =>
      Object.entries({ ...place, ...selectorLabels(hosts) })
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
    once: (what) => `${site}: ${what}`,
    options: (parent) => ({ parent, ...(args.provider && { provider: args.provider }) }),
  };
}

/** Of the public address, which stays when the server becomes another one, and is of its location for good. */
export function addressName(cluster: string, { key, zone = "" }: Pick<HostToMake, "key" | "zone">): string {
  return slug(`${cluster}-${key}-${zone}`);
}

/** As Hetzner has it, which takes a name once in a project. */
export function serverName(cluster: string, key: string): string {
  return slug(`${cluster}-${key}`);
}

const { most: placedTogether } = behaviour["hcloud:index/placementGroup:PlacementGroup"].quotas.servers;

/** Of a group's servers that are kept on different machines. */
export function placementOf(group: string, { place, zone = "" }: Pick<HostToMake, "place" | "zone">): string {
  return `${group} ${zone} ${Math.ceil(Number(place) / placedTogether)}`;
}

function selectorLabels(selector: HostSelector): Readonly<Record<string, string>> {
  switch (selector) {
    case "members":
      return {};
    case "managers":
      return { [`${ownLabels}role`]: "manager" };
    case "workers":
      return { [`${ownLabels}role`]: "worker" };
    default:
      return { [`${ownLabels}group`]: selector.slice("group ".length) };
  }
}

/** Words as a label's value: the name of a cluster or a site may have characters that labels do not take. */
function labelValue(words: string): string {
  return slug(words)
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");
}

/** Hetzner's syntax: docs.hetzner.cloud/reference/cloud#labels. */
export function isLabelValue(text: string): boolean {
  return /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/.test(text);
}

export function isLabelKey(text: string): boolean {
  const parts = text.split("/");
  const name = parts.at(-1) ?? "";
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const prefixed = prefix === undefined || (prefix.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(prefix));
  return parts.length <= 2 && name !== "" && isLabelValue(name) && prefixed;
}
