import * as pulumi from "@pulumi/pulumi";
import { deriveSshKey, type SshKey } from "../../remote/ssh-key";
import { rememberedSecret } from "../../secret";
import { isNot, type Problem } from "../../report";
import type { HostContext } from "../host";

/** The keys of a host that a cloud boots. */
export interface HostKeys {
  /** Logs in to it. A machine that is made now begins with it; one that stands keeps its user data, whose changes are ignored. */
  readonly login: SshKey;
  /** Those that may log in to it until now: the one of the number before, and the one that machines of the first `up` began with. */
  readonly former: readonly SshKey[];
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

export function hostKeys(seed: pulumi.Output<string>, host: string, loginKey = firstLoginKey, client = "client"): pulumi.Output<HostKeys> {
  return seed.apply((secret): HostKeys => {
    const key = (number: number): SshKey => deriveSshKey(secret, number === firstLoginKey ? client : `${client} ${number}`);
    // Each costs a try of the six that sshd allows (sshd_config(5), MaxAuthTries).
    const former = [...new Set([loginKey - 1, firstLoginKey, loginKey - 2])].filter((number) => number >= firstLoginKey && number < loginKey);
    return { login: key(loginKey), former: former.map(key), machine: deriveSshKey(secret, `host ${host}`) };
  });
}

const firstLoginKey = 1;
const mostLoginKey = 1000;

/** What is wrong with the number of a key. */
export function checkLoginKey(loginKey: unknown): Problem[] {
  if (loginKey === undefined) return [];
  if (typeof loginKey === "number" && Number.isInteger(loginKey) && loginKey >= firstLoginKey && loginKey <= mostLoginKey) return [];
  return [
    {
      path: "loginKey",
      message: isNot(loginKey, "the number of a key"),
      fix: `give a whole number from ${firstLoginKey} to ${mostLoginKey}, and count it up`,
    },
  ];
}
