import * as pulumi from "@pulumi/pulumi";
import type { HostContext } from "../host";

/** A text that the user wrote, if it is one: what an `Output` holds is not known before the first `up`. */
export function known(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/**
 * For ids in a network of the user's: they are handed on once it is certain that nothing planned lies on it.
 *
 * @param cidr what the network is, as far as the user knows
 */
export function onceClear(
  cidr: pulumi.Input<string>,
  { networkKnown, checked }: Pick<HostContext, "networkKnown" | "checked">,
): (id: pulumi.Input<string>) => pulumi.Output<string> {
  const clear = pulumi.all([networkKnown(cidr), checked]);
  return (id) => pulumi.all([id, clear]).apply(([value]) => value);
}
