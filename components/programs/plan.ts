import type { Problem } from "../hosts/host";
import type { ProgramArgs } from "./args";
import type { HostProgram } from "./program";

/** What is taken where the user says nothing. */
export interface ProgramDefaults {
  readonly name: string;
  /** The tag too. */
  readonly version: string;
  /** Image without a tag, with its registry: `ghcr.io/flannel-io/flannel`. */
  readonly image: string;
  /** File name on the host to the path in the image. */
  readonly files: Readonly<Record<string, string>>;
}

/** @param path Of the argument, for problems: `overlay.router`. @param mirror Registry in place of the default image's own. */
export function planProgram(
  defaults: ProgramDefaults,
  args: ProgramArgs | undefined,
  path: string,
  mirror: string | undefined,
): { readonly program: HostProgram; readonly problems: readonly Problem[] } {
  throw new Error(`not there yet ${String([defaults, args, path, mirror])}`);
}

/** Where a program comes from, in one line. */
export function showSource({ source }: HostProgram): string {
  return source.kind === "image" ? source.reference : source.url;
}
