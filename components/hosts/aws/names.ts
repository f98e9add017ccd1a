import type * as pulumi from "@pulumi/pulumi";
import { slug } from "../../slug";
import type { HostContext } from "../host";
import type { AwsHostsArgs } from "./args";

/** What all resources of a group have in common: where they are made, by whom, and how they are called. */
export interface Common {
  readonly region: string;
  /** Name of a resource that the site's groups share. */
  readonly named: (what?: string) => string;
  readonly tags: (name: string) => Record<string, pulumi.Input<string>>;
  /** A key for what is made once per site. */
  readonly once: (what: string) => string;
  readonly options: (parent: pulumi.Resource) => pulumi.CustomResourceOptions;
}

export function commonOf(args: AwsHostsArgs, site: string, { cluster }: Pick<HostContext, "cluster">): Common {
  const named = (what?: string): string => [cluster, slug(site), ...(what === undefined ? [] : [slug(what)])].join("-");
  return {
    region: args.region,
    named,
    tags: (name) => ({ Name: name, "pulumi-swarm:cluster": cluster, ...args.tags }),
    once: (what) => `${site}: ${what}`,
    options: (parent) => ({ parent, ...(args.provider && { provider: args.provider }) }),
  };
}
