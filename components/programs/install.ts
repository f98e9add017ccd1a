import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { loadInstallingScript, type ScriptValues } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import { type HostProgram, isArchive, type ProgramSource } from "./program";

const script = loadInstallingScript(__dirname, "programs.sh");

const root = "/usr/local/lib/pulumi-swarm";

/** Another run may be at it for ten minutes, and then this one for as long; the limits themselves are in the script. */
const installTimeout = 30 * 60_000;
const pruneTimeout = 12 * 60_000;

/** Puts a program on a host, unless it is there; older versions stay until {@link pruneProgram}. @returns the folder with its files */
export async function installProgram(
  session: Pick<SshSession, "script">,
  program: HostProgram,
  progress: (line: string) => void,
): Promise<{ readonly folder: string; readonly changed: boolean }> {
  const id = programId(program);
  const values = { NAME: program.name, ID: id, ...sourceValues(program.source) };
  const { changed } = await session.script<{ changed: boolean }>(script, values, { verb: "install", timeout: installTimeout, onProgress: progress });
  return { folder: `${root}/${program.name}/${id}`, changed };
}

/** Takes all versions of a program but this one off a host; all of them where none is to stay. */
export async function pruneProgram(session: Pick<SshSession, "script">, name: string, keep: HostProgram | undefined): Promise<void> {
  await session.script(script, { NAME: name, KEEP: keep === undefined ? "" : programId(keep) }, { verb: "prune", timeout: pruneTimeout });
}

/**
 * Names the folder of one program: another one for everything that may be another program, so that a unit that names it is
 * changed, and restarted, exactly when there is a reason. The same bytes from another place are the same program.
 */
export function programId({ version, source }: HostProgram): string {
  const hash = createHash("sha256")
    .update(JSON.stringify(identity(source)))
    .digest("hex");
  return `${version}-${hash.slice(0, 10)}`;
}

function identity(source: ProgramSource): unknown {
  switch (source.kind) {
    case "image":
      return [digestOf(source.reference) ?? source.reference, Object.entries(source.files).sort()];
    case "file":
      return [source.sha256, isArchive(source.url), [...source.files].sort()];
  }
}

function digestOf(reference: string): string | undefined {
  return /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
}

function sourceValues(source: ProgramSource): ScriptValues {
  switch (source.kind) {
    case "image": {
      // With both, Docker goes by the digest alone; older ones do not take both everywhere.
      const image = digestOf(source.reference) === undefined ? source.reference : source.reference.replace(/:[^:/@]+@/, "@");
      return {
        KIND: "image",
        IMAGE: image,
        FILES: Object.entries(source.files)
          .map((entry) => entry.join(" "))
          .join("\n"),
      };
    }
    case "file": {
      const local = new URL(source.url).protocol === "file:";
      return {
        KIND: isArchive(source.url) ? "archive" : "file",
        URL: local ? "" : source.url,
        LOCAL: local ? fileURLToPath(source.url) : "",
        SHA256: source.sha256,
        FILES: source.files.join("\n"),
      };
    }
  }
}
