import * as pulumi from "@pulumi/pulumi";
import { stop } from "../../report";
import type { HostContext, HostToMake } from "../host";

/** What a machine was made as, and stays. */
export interface Birth {
  readonly image: string;
  readonly zone: string;
  readonly architecture: string;
}

/** What is asked of a host now. */
export interface Wanted {
  /** The image that it would have if it were made today. */
  readonly newest: pulumi.Input<string>;
  readonly architecture: string;
  /** Another text begins another memory. */
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

/**
 * What a host was made as. The state remembers it from the first `up` on, so that a newer image replaces nothing, and
 * a longer list of zones cannot move a host without a word.
 *
 * @returns fails where the host would have to be another machine, though nobody asked for it.
 */
export function remembered(
  host: HostToMake,
  { newest, architecture, renew }: Wanted,
  words: BirthWords,
  { cluster, parent }: HostContext,
): pulumi.Output<Birth> {
  const wanted = { zone: host.zone ?? "", architecture };
  const name = [cluster, host.key, "made", ...(renew === undefined ? [] : [renew])].join("-");
  const stash = new pulumi.Stash(name, { input: { image: newest, ...wanted } }, { parent: host.parent, ignoreChanges: ["input"] });
  return (stash.output as pulumi.Output<Birth>).apply((made) => {
    const wrong = birthProblem(words, host, made, wanted);
    return wrong === undefined ? made : stop(wrong, parent);
  });
}

/** Why a host that stands would not be what is asked for now, and what to do about it. */
export function birthProblem(
  { zone, zones, entry, type, moving, renewing }: BirthWords,
  { key, place }: Pick<HostToMake, "key" | "place">,
  made: Birth,
  wanted: Omit<Birth, "image">,
): string | undefined {
  const anew = (costs: string): string => `make it anew, ${costs}, by each: { ${place}: { renew: "any new text" } }`;
  if (made.zone !== wanted.zone) {
    const stay = `write ${zones} so that it stays, one ${entry} for each host in the order of their numbers`;
    return `${key} stands in ${zone} ${made.zone}, and ${zones} would put it into ${wanted.zone}. Nothing was changed. Fix: ${stay}, or ${anew(moving)}.`;
  }
  if (made.architecture !== wanted.architecture) {
    const stay = `take a type for ${made.architecture}`;
    return `${key} was made for ${made.architecture}, and its ${type} is for ${wanted.architecture}. Nothing was changed. Fix: ${stay}, or ${anew(renewing)}.`;
  }
  return undefined;
}
