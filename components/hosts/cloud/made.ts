import * as pulumi from "@pulumi/pulumi";
import type { MadeAs } from "../host";
import type { ResourceBehaviour } from "./behaviour";
import type { Remembered } from "./memory";

/** Arguments whose change makes another machine, by their paths. @param except Those whose changes we ignore, or that tell nothing new. */
export function replacingPaths({ properties }: ResourceBehaviour, except: readonly string[]): readonly string[] {
  const paths = Object.entries(properties).flatMap(([path, { effect }]) => (effect === "replaces" ? [path] : []));
  return paths.filter((path) => !except.includes(path)).sort();
}

/**
 * Of what a machine's resource is asked to be, what makes it another one.
 *
 * The text by which a machine is made anew tells of the image that is remembered until then. Where the program gives one, nothing is said
 * that is not known at once: what the state remembers waits for leave itself.
 *
 * @param paths Names of arguments; what lies within one by its path, such as `rootBlockDevice.kmsKeyId`.
 * @param memory What the state remembers of the machine, where it remembers anything.
 */
export function madeAs(asked: object, paths: readonly string[], { image, text, renewed }: Partial<Remembered>): MadeAs {
  const isSaid = (value: unknown): boolean => !pulumi.Output.isInstance(value) || (text === undefined && value !== image);
  const said = paths.map((path) => [path, valueAt(asked, path.split("."))] as const).filter(([, value]) => isSaid(value));
  const renew = text ?? renewed;
  return { ...Object.fromEntries(said), ...(renew !== undefined && { renew }) };
}

/** Within an `Output` nothing is looked at: it counts as a whole. */
function valueAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value;
  if (typeof value !== "object" || value === null || !(name in value)) return undefined;
  return valueAt((value as Readonly<Record<string, unknown>>)[name], rest);
}
