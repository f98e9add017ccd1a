/** `broken`: something does not work, or is open that should not be. `warning`: it works, but not as planned, or not for long. `unknown`: nobody can tell. */
export type Severity = "broken" | "warning" | "unknown";

/** Something that a person should know, with what to do. */
export interface Finding {
  /** Its word, such as `disk-full`. */
  readonly kind: string;
  readonly severity: Severity;
  /** Whom it is about: keys of hosts, or none where it is about the whole. */
  readonly hosts: readonly string[];
  /** What is wrong and where, in one short sentence without a full stop: it may be all that somebody reads. */
  readonly text: string;
  /** More of it, for whoever reads on. */
  readonly detail?: string;
  /** What to do about it. */
  readonly fix: string;
  /** The next `up` that looks at the hosts again fixes it. */
  readonly drift?: true;
  /** Kinds of findings about the same hosts that follow from this one: they are not told beside it. */
  readonly explains?: readonly string[];
}

/** One host's line: the host, and what a person reads of it. */
export interface Row {
  readonly host: string;
  readonly says: string;
}

/** A host as a part of the network between hosts sees it. */
export interface PartHost {
  readonly key: string;
  readonly role: "manager" | "worker";
  readonly site: string;
  /** On which the others reach it over the underlay. */
  readonly address: string;
  /** Within its site. */
  readonly siteAddress: string;
}

/** The same with what was seen there. */
export interface SeenPart<Answer> extends PartHost {
  /** A text is why nothing is known; undefined of a host that could not be looked at, which is said elsewhere. */
  readonly answer?: Answer | string;
  /** Hosts that nothing came back from, of those that packets were sent to. */
  readonly silent: readonly string[];
}

/** What the last `up` asked for, as far as a part has to know it. */
export interface PartContext {
  readonly hosts: readonly PartHost[];
  readonly tunnel?: { readonly interface: string; readonly port: number };
}

/**
 * What an overlay or an underlay adds to `pulumi-swarm status`: how its own programs on the hosts are. Each is the same: a script that only
 * reads, and pure functions over what it told.
 */
export interface StatusPart<Answer> {
  /** The heading over its rows. */
  readonly name: string;
  /** A word for programs. */
  readonly key: string;
  /** With the verb `status`: it writes no file, takes no lock and starts nothing. Its last line is the answer in JSON, without secrets. */
  readonly script: string;
  values(context: PartContext): Readonly<Record<string, string>>;
  rows(seen: readonly SeenPart<Answer>[]): readonly Row[];
  /** @param now When it was seen. */
  findings(seen: readonly SeenPart<Answer>[], now: Date): readonly Finding[];
  /** The kinds of its findings, each with a line that says what it is. */
  readonly kinds: Readonly<Record<string, string>>;
}

/** Those of which something is known. */
export function known<Answer>(seen: readonly SeenPart<Answer>[]): readonly (SeenPart<Answer> & { readonly answer: Answer })[] {
  return seen.filter((host): host is SeenPart<Answer> & { readonly answer: Answer } => host.answer !== undefined && typeof host.answer !== "string");
}

/** How the program is asked to look at the hosts again: a program that is unchanged changes nothing. */
export const upAgain = 'set membership.recheck to a new text and run "pulumi up"';

/** A pair is put down to the one of it that has trouble with most others. */
export function blamed(pairs: readonly (readonly [string, string])[]): { readonly host: string; readonly peers: readonly string[] }[] {
  const trouble = (key: string): number => pairs.filter((pair) => pair.includes(key)).length;
  const faults = new Map<string, string[]>();
  for (const [one, other] of pairs) {
    const [host, peer] = trouble(other) > trouble(one) ? [other, one] : [one, other];
    faults.set(host, [...(faults.get(host) ?? []), peer]);
  }
  return [...faults].map(([host, peers]) => ({ host, peers }));
}
