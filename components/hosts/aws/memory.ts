import type * as pulumi from "@pulumi/pulumi";
import { type BirthWords, type Remembered, remembered as rememberedBirth } from "../cloud/memory";
import type { HostContext, HostToMake } from "../host";
import type { AwsHostsArgs } from "./args";
import { architectureOf, hostArgs } from "./plan";

export const words: BirthWords = {
  zone: "zone",
  zones: "zones",
  entry: "letter",
  type: "instance type",
  moving: "with another private address and without its volumes",
  renewing: "without its volumes",
};

/** @returns fails where the host would have to be another machine, though nobody asked for it. */
export function remembered(args: AwsHostsArgs, host: HostToMake, newest: pulumi.Input<string>, context: HostContext): Remembered {
  const { instanceType, renew } = hostArgs(args, host.place);
  return rememberedBirth(host, { newest, architecture: architectureOf(instanceType), renew }, words, context);
}
