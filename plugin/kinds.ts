import type { AwsHostArgs, AwsHostsArgs } from "../components/hosts/aws/args";
import type { ExistingHostsArgs } from "../components/hosts/existing";
import type { HetznerHostArgs, HetznerHostsArgs } from "../components/hosts/hetzner/args";
import type { LocalHostsArgs } from "../components/hosts/local";
import type { FlannelArgs } from "../components/overlays/flannel";
import type { NativeArgs } from "../components/overlays/native";
import type { WeaveArgs } from "../components/overlays/weave";
import type { WireGuardArgs } from "../components/underlay/wireguard";
import { type Report, show } from "../components/report";

/*
 * Which options belong to which kind. The compiler asks for each one that the TypeScript arguments have, so that a new one
 * cannot be forgotten here.
 */

/** What a text in another language cannot be: functions, and providers, which every language passes by its resource options. */
type NotOffered = "role" | "transform" | "provider";
type Options<Args> = Readonly<Record<Exclude<keyof Args, NotOffered>, true>>;
export type Kinds = Readonly<Record<string, Readonly<Record<string, true>>>>;

const numbered = { count: true, numbers: true, labels: true } as const;

const local: Options<LocalHostsArgs> = { ...numbered, image: true, network: true, memory: true };

const existing: Options<ExistingHostsArgs> = {
  machines: true,
  site: true,
  network: true,
  mtu: true,
  mtuOutside: true,
  natAddress: true,
  user: true,
  port: true,
  sudo: true,
  privateKey: true,
  passphrase: true,
  agentSocket: true,
  proxyCommand: true,
  bastion: true,
  labels: true,
};

const aws: Options<AwsHostsArgs> & { readonly imageId: true } = {
  ...numbered,
  region: true,
  zones: true,
  instanceType: true,
  image: true,
  imageId: true,
  diskSize: true,
  kmsKeyId: true,
  publicAddress: true,
  natAddress: true,
  access: true,
  bastion: true,
  network: true,
  vpc: true,
  site: true,
  mtu: true,
  mtuOutside: true,
  securityGroupRules: true,
  spot: true,
  iamInstanceProfile: true,
  protect: true,
  each: true,
  tags: true,
};

const hetzner: Options<HetznerHostsArgs> & { readonly imageId: true } = {
  ...numbered,
  location: true,
  locations: true,
  serverType: true,
  image: true,
  imageId: true,
  bastion: true,
  network: true,
  privateNetwork: true,
  site: true,
  mtu: true,
  protect: true,
  each: true,
  hcloudLabels: true,
};

export const hostKinds = { local, existing, aws, hetzner } as const;

const awsHost: Options<AwsHostArgs> = { instanceType: true, renew: true };
const hetznerHost: Options<HetznerHostArgs> = { serverType: true, renew: true };

/** Options of single hosts. */
export const overrideKinds = { aws: awsHost, hetzner: hetznerHost } as const;

const native: Options<NativeArgs> = { encrypted: true, dataPathPort: true };
const weave: Options<WeaveArgs> = { encrypted: true, rotation: true, trustSites: true, fastDatapath: true, router: true };
const flannel: Options<FlannelArgs> & { readonly noBridge: true } = {
  backend: true,
  hostPrefix: true,
  hostsPerGroup: true,
  slicePrefix: true,
  bridge: true,
  noBridge: true,
  program: true,
  etcd: true,
};

export const overlayKinds = { native, weave, flannel } as const;

const wireguard: Options<WireGuardArgs> = { port: true, rotation: true, keepalive: true, mtu: true };

export const underlayKinds = { direct: {}, wireguard } as const;

/** Whether there is such a kind; a language without types may give anything. */
export function isKind<All extends Kinds>(kinds: All, kind: unknown): kind is keyof All & string {
  return typeof kind === "string" && Object.hasOwn(kinds, kind);
}

/**
 * The options of one kind, as they were given. Those of other kinds, and those that nothing has, are reported rather than left out in
 * silence: who writes them expects them to count.
 *
 * @param path of what has the options
 * @param given with the field that chooses the kind taken out
 */
export function optionsOf(kinds: Kinds, kind: string, path: string, given: object, report: Report): Record<string, unknown> {
  const own = kinds[kind] ?? {};
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    // A language says "not given" by nothing at all or by its null.
    if (value === undefined || value === null) continue;
    if (Object.hasOwn(own, name)) options[name] = value;
    else report(`${path}.${name}`, ...stray(kinds, kind, name));
  }
  return options;
}

function stray(kinds: Kinds, kind: string, name: string): [message: string, fix: string] {
  const owners = Object.keys(kinds).filter((other) => Object.hasOwn(kinds[other] ?? {}, name));
  if (owners.length > 0) return [`is an option of ${owners.join(" and ")}, and this is ${kind}`, "leave it out"];
  const known = Object.keys(kinds[kind] ?? {});
  return ["is not an option", known.length > 0 ? `${kind} has ${[...known].sort().join(", ")}` : `${kind} has none: leave it out`];
}

export function reportKind(kinds: Kinds, path: string, what: string, kind: unknown, report: Report): void {
  report(path, `${show(kind)} is not ${what}`, `write one of ${Object.keys(kinds).join(", ")}`);
}
