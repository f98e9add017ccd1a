import type { MadeAs } from "../host";
import type { ResourceBehaviour } from "./behaviour";

/** Arguments whose change makes another machine, by their paths. @param except Those whose changes we ignore, or that tell nothing new. */
export function replacingPaths({ properties }: ResourceBehaviour, except: readonly string[]): readonly string[] {
  const paths = Object.entries(properties).flatMap(([path, { effect }]) => (effect === "replaces" ? [path] : []));
  return paths.filter((path) => !except.includes(path)).sort();
}

/**
 * Of what a machine's resource is asked to be, what makes it another one.
 *
 * @param paths Names of arguments; what lies within one by its path, such as `rootBlockDevice.kmsKeyId`.
 */
export function madeAs(asked: object, paths: readonly string[]): MadeAs {
  return Object.fromEntries(paths.map((path) => [path, valueAt(asked, path.split("."))]));
}

/** Within an `Output` nothing is looked at: it counts as a whole. */
function valueAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value;
  if (typeof value !== "object" || value === null || !(name in value)) return undefined;
  return valueAt((value as Readonly<Record<string, unknown>>)[name], rest);
}
