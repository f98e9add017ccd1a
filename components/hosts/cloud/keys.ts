import * as pulumi from "@pulumi/pulumi";
import { deriveSshKey, type SshKey } from "../../remote/ssh-key";
import { rememberedSecret } from "../../secret";
import type { HostContext } from "../host";

/** The two keys of a host that a cloud boots. */
export interface HostKeys {
  /** Logs in to it, and to every other host of the same cloud. */
  readonly client: SshKey;
  /** What the host shows for itself. */
  readonly machine: SshKey;
}

/** One secret for each cloud, made at the first `up` and kept in the state, from which all keys of the cluster's hosts there follow. */
export function keySeed(cloud: string, { cluster, parent, checked, shared }: HostContext): pulumi.Output<string> {
  const secret = shared(`${cloud} keys`, () => rememberedSecret(keysName(cluster, cloud), parent));
  // All hosts need it, so none of them is touched before the addresses are known to be right.
  return pulumi.all([secret, checked]).apply(([seed]) => seed);
}

export function keysName(cluster: string, cloud: string): string {
  return `${cluster}-${cloud}-keys`;
}

/**
 * Of the seed's keys, one that logs in.
 *
 * @param client which of them, where a cloud takes none twice
 */
export function clientKey(seed: pulumi.Output<string>, client = "client"): pulumi.Output<SshKey> {
  return seed.apply((secret) => deriveSshKey(secret, client));
}

export function hostKeys(seed: pulumi.Output<string>, host: string, client = "client"): pulumi.Output<HostKeys> {
  return seed.apply((secret) => ({ client: deriveSshKey(secret, client), machine: deriveSshKey(secret, `host ${host}`) }));
}
