import * as pulumi from "@pulumi/pulumi";
import { stop } from "../../stop";
import type { HostContext, HostToMake } from "../host";

/** What a machine was made as, and stays. */
export interface Birth {
  readonly image: string;
  readonly zone: string;
  readonly architecture: string;
  /** Its type, where that cannot become another one. @default - it can, or a version before 0.2 made the memory */
  readonly type?: string;
  /** The key that encrypts its disk; empty where the provider's own does. @default - a version before 0.2 made the memory, or there is none */
  readonly diskKey?: string;
}

/** What is asked of a host now. */
export interface Wanted {
  /** The image that it would have if it were made today. */
  readonly newest: pulumi.Input<string>;
  readonly architecture: string;
  readonly type?: string;
  readonly diskKey?: pulumi.Input<string>;
  /** Another text begins another memory. None leaves the host as it is. */
  readonly renew?: string | undefined;
}

/** A cloud's own words for what would be otherwise. */
export interface BirthWords {
  /** What a part of the site is called there. */
  readonly zone: string;
  /** The option that lists them, and what it lists. */
  readonly zones: string;
  readonly entry: string;
  readonly type: string;
  /** What is lost with a move, and with a machine made anew where it stands. */
  readonly moving: string;
  readonly renewing: string;
}

/** What the state remembers of a host's machine. */
export interface Remembered {
  readonly birth: pulumi.Output<Birth>;
  /** The one that it was made of. */
  readonly image: pulumi.Output<string>;
  /** Changes exactly when the machine must be replaced. */
  readonly renewed: pulumi.Output<string>;
  /** The text that the program gives for it. @default - none: the machine stays as it is */
  readonly text?: string;
}

/**
 * What a host was made as. The state remembers it from the first `up` on, so that a newer image replaces nothing, and
 * a longer list of zones cannot move a host without a word.
 *
 * @returns fails where the host would have to be another machine, though nobody asked for it.
 */
export function remembered(
  host: HostToMake,
  { newest, architecture, type, diskKey, renew }: Wanted,
  words: BirthWords,
  { cluster, parent }: HostContext,
): Remembered {
  const wanted = { zone: host.zone ?? "", architecture, ...(type !== undefined && { type }) };
  const names = memoryNames(cluster, host.key);
  const renewed = lastText(names.renewed, renew, host.allowed, host.parent);
  const stash = new pulumi.Stash(
    names.made,
    { input: { image: newest, ...wanted, ...(diskKey !== undefined && { diskKey }) } },
    {
      parent: host.parent,
      ignoreChanges: ["input"],
      replacementTrigger: renewed,
      // Up to version 0.1.0 the text was a part of the name.
      ...(renew !== undefined && { aliases: [{ name: `${names.made}-${renew}` }] }),
    },
  );
  const birth = (stash.output as pulumi.Output<Birth>).apply((made) => {
    const wrong = birthProblem(words, host, made, wanted);
    return wrong === undefined ? made : stop(wrong, parent);
  });
  return { birth, image: birth.apply(({ image }) => image), renewed, ...(renew !== undefined && { text: renew }) };
}

/** Names of the stashes that remember a host's machine. */
export function memoryNames(cluster: string, host: string): { readonly renewed: string; readonly made: string } {
  return { renewed: `${cluster}-${host}-renewed`, made: `${cluster}-${host}-made` };
}

/**
 * The text by which a machine was last made anew. The engine takes a trigger that is gone, or comes after none, for no change at all:
 * so a text that is taken out of a program must stay remembered, or the next one would do nothing. A stash keeps its first value.
 *
 * @param allowed What a new text waits for: one that was refused and taken back must not be remembered.
 */
function lastText(name: string, renew: string | undefined, allowed: pulumi.Output<unknown>, parent: pulumi.Resource): pulumi.Output<string> {
  const [input, options] =
    renew === undefined ? ["first", { ignoreChanges: ["input"] }] : [allowed.apply(() => renew), { replaceOnChanges: ["input"] }];
  return new pulumi.Stash(name, { input }, { parent, ...options }).output as pulumi.Output<string>;
}

/** Why a host that stands would not be what is asked for now, and what to do about it. */
export function birthProblem(
  { zone, zones, entry, type, moving, renewing }: BirthWords,
  { key, place }: Pick<HostToMake, "key" | "place">,
  made: Birth,
  wanted: Omit<Birth, "image" | "diskKey">,
): string | undefined {
  const replace = (costs: string): string => `replace its machine, ${costs}, by each: { ${place}: { renew: "any new text" } }`;
  if (made.zone !== wanted.zone) {
    const stay = `write ${zones} so that it stays, one ${entry} for each host in the order of their numbers`;
    return `${key} stands in ${zone} ${made.zone}, and ${zones} would put it into ${wanted.zone}. Nothing was changed. Fix: ${stay}, or ${replace(moving)}.`;
  }
  if (made.architecture !== wanted.architecture) {
    const stay = `take a type for ${made.architecture}`;
    return `${key} was made for ${made.architecture}, and its ${type} is for ${wanted.architecture}. Nothing was changed. Fix: ${stay}, or ${replace(renewing)}.`;
  }
  if (made.type !== undefined && wanted.type !== undefined && made.type !== wanted.type) {
    const cannot = `${key} is a spot instance of type ${made.type}, which EC2 cannot stop to make it ${wanted.type}`;
    return `${cannot}. Nothing was changed. Fix: keep its type, or ${replace(renewing)}.`;
  }
  return undefined;
}
