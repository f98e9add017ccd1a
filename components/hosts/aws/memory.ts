import * as pulumi from "@pulumi/pulumi";
import { stop } from "../../report";
import type { HostContext, HostToMake } from "../host";
import type { AwsHostsArgs } from "./args";
import { type Architecture, architectureOf, hostArgs } from "./plan";

/** What a machine was made as, and stays. */
export interface Birth {
  readonly image: string;
  readonly zone: string;
  readonly architecture: Architecture;
}

/**
 * What a host was made as. The state remembers it from the first `up` on, so that a newer image replaces nothing, and
 * a longer list of zones cannot move a host without a word. Another `renew` begins another memory.
 *
 * @returns fails where the host would have to be another machine, though nobody asked for it.
 */
export function remembered(
  args: AwsHostsArgs,
  host: HostToMake,
  newest: pulumi.Input<string>,
  { cluster, parent }: HostContext,
): pulumi.Output<Birth> {
  const { instanceType, renew } = hostArgs(args, host.place);
  const wanted = { zone: host.zone ?? "", architecture: architectureOf(instanceType) };
  const name = [cluster, host.key, "made", ...(renew === undefined ? [] : [renew])].join("-");
  const stash = new pulumi.Stash(name, { input: { image: newest, ...wanted } }, { parent: host.parent, ignoreChanges: ["input"] });
  return (stash.output as pulumi.Output<Birth>).apply((made) => {
    const wrong = otherwise(host, made, wanted);
    return wrong === undefined ? made : stop(wrong, parent);
  });
}

/** Why a host that stands would not be what is asked for now, and what to do about it. */
export function otherwise({ key, place }: Pick<HostToMake, "key" | "place">, made: Birth, wanted: Omit<Birth, "image">): string | undefined {
  const anew = (costs: string): string => `make it anew, ${costs}, by each: { ${place}: { renew: "any new text" } }`;
  if (made.zone !== wanted.zone) {
    const stay = "write zones so that it stays, one letter for each host in the order of their numbers";
    const move = anew("with another private address and without its volumes");
    return `${key} stands in zone ${made.zone}, and zones would put it into ${wanted.zone}. Nothing was changed. Fix: ${stay}, or ${move}.`;
  }
  if (made.architecture !== wanted.architecture) {
    const stay = `take a type for ${made.architecture}`;
    return `${key} was made for ${made.architecture}, and its instance type is for ${wanted.architecture}. Nothing was changed. Fix: ${stay}, or ${anew("without its volumes")}.`;
  }
  return undefined;
}
