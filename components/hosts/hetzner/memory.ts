import type * as pulumi from "@pulumi/pulumi";
import { type BirthWords, type Remembered, remembered as rememberedBirth } from "../cloud/memory";
import type { HostContext, HostToMake } from "../host";
import type { HetznerHostsArgs } from "./args";
import { architectureOf, hostArgs } from "./plan";

export const words: BirthWords = {
  zone: "location",
  zones: "locations",
  entry: "name",
  type: "server type",
  moving: "with another public address and an empty disk",
  renewing: "with an empty disk",
};

/** @returns fails where the host would have to be another machine, though nobody asked for it. */
export function remembered(args: HetznerHostsArgs, host: HostToMake, newest: pulumi.Input<string>, context: HostContext): Remembered {
  const { serverType, renew } = hostArgs(args, host.place);
  return rememberedBirth(host, { newest, architecture: architectureOf(serverType), renew }, words, context);
}
