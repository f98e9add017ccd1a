import type { Topology } from "../topology/topology";
import type { ReviewStep } from "./read";
import type { Risk } from "./risks";
import type { ReviewedWalk } from "./walk";

/**
 * Text with values in it, kept apart so that each form of output can quote them its own way: a value is a name, an address or the
 * like, what is said is a sentence that somebody else wrote.
 */
export type Text = readonly (string | { readonly value: string } | { readonly said: string })[];

/** Writes a text: what is filled in is a value, unless it is a text itself. */
export function text(words: TemplateStringsArray, ...filled: readonly (string | number | Text)[]): Text {
  return words.flatMap((word, index): Text => {
    const value = filled[index];
    if (value === undefined) return [word];
    return [word, ...(typeof value === "object" ? value : [{ value: String(value) }])];
  });
}

/** Values with commas between them. */
export function list(values: readonly string[]): Text {
  return values.flatMap((value, index) => (index === 0 ? [{ value }] : [", ", { value }]));
}

export function joined(texts: readonly Text[], between: string): Text {
  return texts.flatMap((each, index) => (index === 0 ? each : [between, ...each]));
}

/** A sentence that somebody else wrote. */
export function said(sentence: string): Text {
  return [{ said: sentence }];
}

/** Words that are no value: they are shown as they are. */
export function words(said: string): Text {
  return [said];
}

/** What the review says of a cluster, by what it is about, in the order in which it is read. */
export const sections = {
  hosts: "Hosts",
  quorum: "Quorum",
  firewall: "Open to whom",
  gateways: "What containers reach outside",
  routers: "What hosts announce to routers outside",
  trunks: "Machines outside in networks",
  encryption: "Encryption",
  addresses: "Addresses",
  networks: "Networks",
  downtime: "What to expect while it is done",
  destructive: "What is deleted",
  unknown: "What the preview cannot show",
} as const;

export type SectionName = keyof typeof sections;

/** One thing that somebody should know before the edit is made. */
export interface Finding {
  readonly section: SectionName;
  /** What is new, goes, becomes another, or is to be known. */
  readonly kind: "added" | "removed" | "changed" | "note";
  /** Whom or what it is about, by name: a host, a rule, an owner of addresses. */
  readonly subject: string;
  readonly text: Text;
  /** Where it is one of the risks. Each is named by one finding only. */
  readonly risk?: Risk;
}

/** What happens to the machine of a host. */
export interface MachineChange {
  readonly host: string;
  readonly urn: string;
  readonly type: string;
  readonly how: "made" | "replaced" | "changed" | "removed";
  readonly changed: readonly string[];
  /** The argument for which its cloud refuses to delete it. @default - it does not */
  readonly protectedBy?: string;
}

/** One cluster before and after the edit. */
export interface ClusterChange {
  readonly cluster: string;
  /** Where it is only a part of a cluster by itself, without a swarm. */
  readonly piece?: "HostFirewall" | "WireGuardMesh";
  /** Undefined where it is new. */
  readonly before: Topology | undefined;
  /** Undefined where it goes. */
  readonly after: Topology | undefined;
  /** What is done to resources of the cluster, but for those that stay as they are. */
  readonly steps: readonly ReviewStep[];
  readonly machines: readonly MachineChange[];
  /** Hosts that stood before and whose pinned SSH host key is another one. */
  readonly otherKeys: readonly string[];
  /** Hosts that are taken out of service to be changed. @default - none, or it cannot be seen */
  readonly walk?: ReviewedWalk;
  /** Keys of daemon.json of which the state does not say whether hosts have them. */
  readonly unseenSettings: readonly string[];
  /** Whether the swarm was adopted, so that it lives on when the cluster goes. */
  readonly livesOn: boolean;
  /** Whether resources that stay as they are were left out of the preview: then nothing can be counted. */
  readonly partial: boolean;
}

/** A cluster that is there before and after. */
export interface ClusterEdit extends ClusterChange {
  readonly before: Topology;
  readonly after: Topology;
}

export function isEdit(change: ClusterChange): change is ClusterEdit {
  return change.before !== undefined && change.after !== undefined;
}

/** `1 worker`, `3 workers`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
