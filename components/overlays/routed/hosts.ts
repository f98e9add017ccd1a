import type { SshSession } from "../../remote/ssh";
import type { OverlayHost } from "../agent";

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
