import type * as pulumi from "@pulumi/pulumi";
import { type Birth, birthProblem, remembered as rememberedBirth } from "../cloud/memory";
import type { HostContext, HostToMake } from "../host";
import type { AwsHostsArgs } from "./args";
import { architectureOf, hostArgs } from "./plan";

export type { Birth } from "../cloud/memory";

const words = {
  zone: "zone",
  zones: "zones",
  entry: "letter",
  type: "instance type",
  moving: "with another private address and without its volumes",
  renewing: "without its volumes",
};

/** @returns fails where the host would have to be another machine, though nobody asked for it. */
export function remembered(args: AwsHostsArgs, host: HostToMake, newest: pulumi.Input<string>, context: HostContext): pulumi.Output<Birth> {
  const { instanceType, renew } = hostArgs(args, host.place);
  return rememberedBirth(host, { newest, architecture: architectureOf(instanceType), renew }, words, context);
}

/** Why an instance that stands would not be what is asked for now, and what to do about it. */
export function otherwise(host: Pick<HostToMake, "key" | "place">, made: Birth, wanted: Omit<Birth, "image">): string | undefined {
  return birthProblem(words, host, made, wanted);
}
