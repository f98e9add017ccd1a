import { hostOptions } from "../components/hosts/kinds";
import { awsHostOptions } from "../components/hosts/aws/args";
import { hetznerHostOptions } from "../components/hosts/hetzner/args";
import { noneOf } from "../components/nearest";
import { type AnyOptions, reportStray } from "../components/options";
import { overlayOptions } from "../components/overlays/kinds";
import type { Report } from "../components/report";
import { underlayOptions } from "../components/underlay/kinds";

/*
 * Which options belong to which kind: those of the TypeScript package, by the same lists. What is written otherwise in other languages is
 * added here.
 */

/** All options by their kind. */
const all: Readonly<Record<string, AnyOptions>> = { ...hostOptions, ...overlayOptions, ...underlayOptions };

/** The options of one kind. */
export type Names = Readonly<Record<string, true>>;
export type Kinds = Readonly<Record<string, Names>>;

/** What a text in another language cannot be: functions, and providers, which every language passes by its resource options. */
const notOffered: readonly string[] = ["role", "transform", "provider"];

function offered({ names }: AnyOptions, ...also: readonly string[]): Names {
  const own = Object.keys(names).filter((name) => !notOffered.includes(name));
  return Object.fromEntries([...own, ...also].map((name) => [name, true]));
}

export const hostKinds = {
  local: offered(hostOptions.local),
  existing: offered(hostOptions.existing),
  aws: offered(hostOptions.aws, "imageId"),
  hetzner: offered(hostOptions.hetzner, "imageId"),
} as const;

/** Options of single hosts. */
export const overrideKinds = { aws: offered(awsHostOptions), hetzner: offered(hetznerHostOptions) } as const;

export const overlayKinds = {
  native: offered(overlayOptions.native),
  weave: offered(overlayOptions.weave),
  flannel: offered(overlayOptions.flannel, "noBridge"),
  calico: offered(overlayOptions.calico, "noBridge"),
  openvswitch: offered(overlayOptions.openvswitch),
} as const;

export const underlayKinds = { direct: offered(underlayOptions.direct), wireguard: offered(underlayOptions.wireguard) } as const;

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
    else reportStray(name, { of: kind, known: Object.keys(own), others: all[kind]?.others ?? {}, siblings: { kind, kinds } }, path, report);
  }
  return options;
}

/** What other tools call them. */
const otherKinds = { docker: "local", ssh: "existing", machines: "existing", amazon: "aws", ec2: "aws", hcloud: "hetzner", wg: "wireguard" };

export function reportKind(kinds: Kinds, path: string, what: string, kind: unknown, report: Report): void {
  const others = Object.fromEntries(Object.entries(otherKinds).filter(([, known]) => Object.hasOwn(kinds, known)));
  report(path, ...noneOf(kind, { what, known: Object.keys(kinds), others, written: (known) => known }));
}
