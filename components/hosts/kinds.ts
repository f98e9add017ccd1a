import { awsHostsOptions } from "./aws/args";
import { existingHostsOptions } from "./existing/args";
import { hetznerHostsOptions } from "./hetzner/args";
import { localHostsOptions } from "./local/args";

/** The options of all kinds of hosts. No package of a cloud is loaded for them. */
export const hostOptions = {
  local: localHostsOptions,
  existing: existingHostsOptions,
  aws: awsHostsOptions,
  hetzner: hetznerHostsOptions,
} as const;

export type HostKind = keyof typeof hostOptions;

/** Their names, by kind. */
export const hostOptionNames = Object.fromEntries(Object.entries(hostOptions).map(([kind, { names }]) => [kind, names]));
