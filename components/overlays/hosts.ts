import type { ScriptValues } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import type { OverlayHost, OverlayIo } from "./agent";

export type Session = Pick<SshSession, "script">;
export type Reached = OverlayHost & { readonly session: Session };

export function reachedOf(hosts: readonly OverlayHost[]): Reached[] {
  return hosts.flatMap((host) => (host.session ? [{ ...host, session: host.session }] : []));
}

/** By which the other hosts reach it: through the tunnel, where there is one. */
export function addressOf({ tunnelAddress, address }: OverlayHost): string {
  return tunnelAddress ?? address;
}

export function subnetOf({ key, containerSubnet }: OverlayHost): string {
  if (containerSubnet === undefined) throw new Error(`the plan gives ${key} no subnet for containers`);
  return containerSubnet;
}

/** Runs a verb of an overlay's script on a host, and hands on its lines of progress. */
export type RunScript = <Result>(
  host: { readonly key: string; readonly session: Session },
  io: OverlayIo,
  verb: string,
  values?: ScriptValues,
  timeout?: number,
) => Promise<Result>;

/** @param usual Limit of a verb in milliseconds, where none is given. */
export function runnerOf(script: string, usual: number): RunScript {
  return (host, io, verb, values = {}, timeout = usual) =>
    host.session.script(script, values, { verb, timeout, onProgress: (line) => io.progress(host.key, line) });
}
