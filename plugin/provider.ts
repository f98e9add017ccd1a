import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "./args";
import { Cluster } from "./cluster";

/** The type of the component, as programs of other languages name it. */
const clusterType = "swarm:index:Cluster";

/**
 * The component for programs of all languages. Its schema is a file of the package: working it out from the types, as Pulumi's own
 * host for components does, would cost each run the compilation of all of them.
 */
export class SwarmProvider implements pulumi.provider.Provider {
  readonly schema = readFileSync(join(__dirname, "schema.json"), "utf8");
  readonly version = (JSON.parse(this.schema) as { version: string }).version;

  async construct(
    name: string,
    type: string,
    inputs: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
  ): Promise<pulumi.provider.ConstructResult> {
    if (type !== clusterType) throw new pulumi.RunError(`there is no resource ${type} in this package. Fix: use ${clusterType}`);
    const { urn, dockerHost, swarmId, hosts, networks, summary, connections } = new Cluster(
      name,
      (await settled(inputs)) as unknown as ClusterArgs,
      options,
    );
    return { urn, state: { dockerHost, swarmId, hosts, networks, summary, connections } };
  }
}

/**
 * A program may pass a whole argument as an `Output`, because of one secret or one other resource's property in it. Where its value
 * is known, the plan can be made all the same.
 */
async function settled(inputs: pulumi.Inputs): Promise<Record<string, unknown>> {
  const known = async ([name, value]: [string, unknown]): Promise<[string, unknown]> => [name, await valueIfKnown(value)];
  return Object.fromEntries(await Promise.all(Object.entries(inputs).map(known)));
}

async function valueIfKnown(input: unknown): Promise<unknown> {
  if (!pulumi.Output.isInstance(input)) return input;
  // The SDK's types leave it out; `apply` alone would wait without end for what is unknown in a preview.
  const { isKnown } = input as unknown as { readonly isKnown: Promise<boolean> };
  return (await isKnown) ? new Promise((resolve) => input.apply((value) => resolve(value))) : input;
}

/** Serves until Pulumi ends the process. */
export function serve(): Promise<void> {
  return pulumi.provider.main(new SwarmProvider(), process.argv.slice(2));
}
