import type { SshSession } from "../remote/ssh";
import type { HostProgram } from "./program";

/** Puts a program on a host, unless it is there; older versions stay until {@link pruneProgram}. @returns the folder with its files */
export function installProgram(
  _session: Pick<SshSession, "script">,
  _program: HostProgram,
  _progress: (line: string) => void,
): Promise<{ readonly folder: string; readonly changed: boolean }> {
  throw new Error("not there yet");
}

/** Takes all versions of a program but this one off a host; all of them where none is to stay. */
export function pruneProgram(_session: Pick<SshSession, "script">, _name: string, _keep: HostProgram | undefined): Promise<void> {
  throw new Error("not there yet");
}
