import * as pulumi from "@pulumi/pulumi";
import { type BirthWords, type Remembered, remembered as rememberedBirth } from "../cloud/memory";
import { show } from "../../report";
import { stop } from "../../stop";
import type { HostContext, HostToMake } from "../host";
import type { AwsHostsArgs } from "./args";
import { howToKeyArn, isKeyArn } from "./check";
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
  const wanted = { newest, architecture: architectureOf(instanceType), renew, diskKey: keyArn(args, context) };
  return rememberedBirth(host, { ...wanted, ...(args.spot === true && { type: instanceType }) }, words, context);
}

/** Fails where it turns out to be something else, which EC2 would give back in another form, so that each `up` made all hosts anew. */
function keyArn({ kmsKeyId }: AwsHostsArgs, { parent }: HostContext): pulumi.Input<string> {
  if (kmsKeyId === undefined || typeof kmsKeyId === "string") return kmsKeyId ?? "";
  return pulumi
    .output(kmsKeyId)
    .apply((key) => (isKeyArn(key) ? key : stop(`kmsKeyId: ${show(key)} is not a key's ARN. Fix: ${howToKeyArn}.`, parent)));
}

/**
 * The key that a host's volume was made with, and keeps: another one would be another volume, so another machine.
 *
 * @returns nothing for AWS's own
 */
export function diskKey({ kmsKeyId }: AwsHostsArgs, key: string, { birth }: Remembered, { parent }: HostContext): pulumi.Output<string | undefined> {
  return pulumi.all([birth, kmsKeyId]).apply(([made, given]) => {
    if (made.diskKey === undefined) return given;
    if (made.diskKey !== (given ?? "")) {
      const [was, will] = [made.diskKey, given ?? ""].map((one) => (one === "" ? "AWS's own key" : one));
      void pulumi.log.warn(
        `${key} keeps the key that its volume was made with, ${was}, until renew replaces its machine: then it gets ${will}`,
        parent,
      );
    }
    return made.diskKey === "" ? undefined : made.diskKey;
  });
}
