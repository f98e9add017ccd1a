import { optional, options } from "../options";

/** What holds for all programs that hosts run beside Docker. */
export interface ProgramsArgs {
  /**
   * Registry, and path in it, that takes the place of the registry of the programs' own images:
   * `registry.example.com/mirror` has `registry.example.com/mirror/flannel-io/flannel`. The hosts' Docker pulls from it.
   * @default - none: each from where its project publishes it
   */
  readonly mirror?: string;
}

/** Where a program for the hosts comes from, when it is not to be the default. */
export type ProgramArgs = ProgramImageArgs | ProgramFileArgs;

/** A program that is taken out of a container image. */
export interface ProgramImageArgs {
  /** The image's tag. @default - the one that `image` has, or else the one that this package was tested with */
  readonly version?: string;
  /**
   * Image such as `registry.example.com/flannel`, with the tag if `version` is not given. Taken as it is: a mirror does not
   * change it. @default - the project's own, or the mirror's copy of it
   */
  readonly image?: string;
  /** `sha256:…` of the image: whatever the tag may come to mean, hosts take this one and nothing else. @default - not pinned */
  readonly digest?: string;
}

/** A program that each host fetches as a file. */
export interface ProgramFileArgs {
  /** Shown in the preview, and part of the folder's name on the host. */
  readonly version: string;
  /**
   * From where each host fetches it: `https:`, `http:`, or `file:` for what lies on each host already. A `.tar.gz` or `.tgz` is
   * unpacked, and may hold other files as well; anything else is the program itself.
   */
  readonly url: string;
  /** Checksum of what is fetched, 64 hexadecimal digits. */
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
