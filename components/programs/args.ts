import { optional, options } from "../options";

/** Settings for all programs that hosts run beside Docker. */
export interface ProgramsArgs {
  /**
   * Registry, and path in it, that replaces the registry of the programs' own images: `registry.example.com/mirror` has
   * `registry.example.com/mirror/flannel-io/flannel`. The hosts' Docker pulls from it.
   * @default - none: each program comes from its project's registry
   */
  readonly mirror?: string;
}

/** Where a program for the hosts comes from, if not from the default. */
export type ProgramArgs = ProgramImageArgs | ProgramFileArgs;

/** A program from a container image. */
export interface ProgramImageArgs {
  /** The image's tag. @default - the one that `image` has, or else the one that this package was tested with */
  readonly version?: string;
  /**
   * Image such as `registry.example.com/flannel`, with the tag if `version` is not given. A mirror does not change it.
   * @default - the project's own, or the mirror's copy of it
   */
  readonly image?: string;
  /** `sha256:…` of the image. Hosts then accept only this image, even if the tag changes. @default - not pinned */
  readonly digest?: string;
}

/** A program that each host fetches as a file. */
export interface ProgramFileArgs {
  /** Shown in the preview, and part of the folder's name on the host. */
  readonly version: string;
  /**
   * The address from which each host fetches it: `https:`, `http:`, or `file:` for a file that is already on each host. A
   * `.tar.gz` or `.tgz` is unpacked, and may contain other files. Any other file is the program itself.
   */
  readonly url: string;
  /** Checksum of the file, 64 hexadecimal digits. */
  readonly sha256: string;
}

export const programsOptions = options<ProgramsArgs>(
  { of: "programs", thing: "where programs come from", example: '{ mirror: "registry.example.com/mirror" }' },
  { mirror: optional },
);

export const programOptions = options<ProgramArgs>(
  { of: "a program", thing: "a program", example: '{ version: "v1.2.3" }' },
  { version: optional, image: optional, digest: optional, url: optional, sha256: optional },
);
