import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { stop } from "../../stop";
import type { HostContext } from "../host";
import type { AwsHostsArgs } from "./args";
import type { Common } from "./names";

/**
 * Whether the account has the zones that were assumed where nobody named any. Zones in trouble count: what stands in them must not be
 * refused for it. Where the account does not answer, EC2 says so when the subnets are made.
 *
 * @returns when that is certain; fails with those that there are
 */
export function zonesThere(args: AwsHostsArgs, common: Common, { parent, hosts, shared }: HostContext): pulumi.Output<unknown> {
  if (args.zones !== undefined || args.vpc !== undefined) return pulumi.output(undefined);
  const letters = shared(common.once("zones"), () => pulumi.output(zonesOf(common, parent)));
  return letters.apply((there) => {
    const wrong = zonesProblem(common.region, hosts, there);
    return wrong === undefined ? undefined : stop(wrong, parent);
  });
}

async function zonesOf({ region, options }: Common, parent: pulumi.Resource): Promise<readonly string[] | undefined> {
  // Local zones, which somebody may have opted in to, have no letter alone.
  const filters = [{ name: "zone-type", values: ["availability-zone"] }];
  const found = await aws.getAvailabilityZones({ region, filters }, options(parent)).catch(() => undefined);
  return found?.names?.map((name) => name.slice(region.length));
}

/** @param there Letters of the account's zones. @default - not known */
export function zonesProblem(
  region: string,
  hosts: readonly { readonly key: string; readonly zone?: string }[],
  there: readonly string[] | undefined,
): string | undefined {
  if (there === undefined || there.length === 0) return undefined;
  const lost = hosts.filter(({ zone }) => zone !== undefined && !there.includes(zone));
  const [first] = lost;
  if (first === undefined) return undefined;
  const more = lost.length === 1 ? "" : `, as ${lost.length - 1} more would be in zones that are not there`;
  const zones = there.map((letter) => `"${letter}"`).join(", ");
  return `${first.key} would be in zone ${first.zone} of ${region}${more}, and this account has ${there.join(", ")} there. Nothing was changed. Fix: write zones: [${zones}].`;
}
