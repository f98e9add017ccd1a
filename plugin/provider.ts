import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { serveOneByOne } from "../components/names/claimed";
import { sayByErrors } from "../components/stop";
import type { ClusterArgs } from "./args";
import { Cluster, clusterType } from "./cluster";
import { linkIntoProject } from "./link";
import { inFlatWords } from "./words";

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
    const args = (await settled(inputs)) as unknown as ClusterArgs;
    const { urn, dockerHost, swarmId, hosts, networks, summary, prometheus, connections } = new Cluster(name, args, options);
    const state = { dockerHost, swarmId, hosts, networks, summary, prometheus, connections };
    // The SDK would wait for them too, and put its own words before those of an error.
    await Promise.all(Object.values(state).map((output) => isKnown(output))).catch((error: Error) => {
      throw new pulumi.RunError(inUsersWords(error.message));
    });
    return { urn, state };
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
  return (await isKnown(input)) ? new Promise((resolve) => input.apply((value) => resolve(value))) : input;
}

/** The SDK's types leave it out; `apply` alone would wait without end for what is unknown in a preview. */
function isKnown(output: pulumi.Output<unknown>): Promise<boolean> {
  return (output as unknown as { readonly isKnown: Promise<boolean> }).isKnown;
}

/** The SDK puts before a message by which properties the error came, of which no user knows; the words may be TypeScript's. */
export function inUsersWords(message: string): string {
  return inFlatWords(message.replace(/^(error serializing property "[^"]*": )+/, ""));
}

/** Serves until Pulumi ends the process. */
export function serve(): Promise<void> {
  sayByErrors();
  linkIntoProject(dirname(dirname(__dirname)), process.cwd());
  serveOneByOne();
  // Before the SDK's own handlers, which answer the engine with the error as it is then.
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      if (error instanceof Error) error.message = inUsersWords(error.message);
    });
  }
  return pulumi.provider.main(new SwarmProvider(), process.argv.slice(2));
}
