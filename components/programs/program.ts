/** A program that runs on hosts beside Docker, in the plan. */
export interface HostProgram {
  /** Such as `flanneld`. It is the name of its folder on the host. */
  readonly name: string;
  /** Shown in the preview. A new version is installed beside the old one and replaces it. */
  readonly version: string;
  /** Where hosts get it. */
  readonly source: ProgramSource;
}

/** Where hosts get a program. */
export type ProgramSource =
  /** Files from a container image, which each host's Docker pulls. */
  | {
      /** From an image. */
      readonly kind: "image";
      /** With tag, and digest if one is pinned. It names the mirror, if there is one. */
      readonly reference: string;
      /** File name on the host to the path in the image. */
      readonly files: Readonly<Record<string, string>>;
    }
  /** A file, or a `.tar.gz` with the files somewhere in it, that each host fetches. */
  | {
      /** From an address. */
      readonly kind: "file";
      /** `https:`, `http:`, or `file:` for a file that is already on each host. */
      readonly url: string;
      /** Checksum of the file, 64 hexadecimal digits. */
      readonly sha256: string;
      /** File names on the host; those in an archive are found by them. */
      readonly files: readonly string[];
    };

/** Whether what lies at this address is to be unpacked. */
export function isArchive(url: string): boolean {
  return /\.(tar\.gz|tgz)$/.test(new URL(url).pathname);
}

/** Where a program comes from, in one line for the preview. */
export function showSource({ source }: HostProgram): string {
  switch (source.kind) {
    case "image":
      return source.reference.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1…");
    case "file":
      return `${source.url} (sha256 ${source.sha256.slice(0, 12)}…)`;
  }
}
