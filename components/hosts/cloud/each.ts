import { show } from "../../report";
import type { HostDescription } from "../host";
import type { Problem } from "../../report";

/** What may be otherwise for a host on every cloud. */
export interface RenewableHost {
  readonly renew?: string;
}

/**
 * What is wrong with what is said of single hosts.
 *
 * @param check what the cloud alone knows to be wrong; the path is that of the host
 */
export function checkEach<One extends RenewableHost>(
  each: Readonly<Record<number, One>> = {},
  hosts: readonly HostDescription[],
  check: (one: One, path: string) => readonly Problem[],
): Problem[] {
  const places = hosts.map((host) => host.place);
  return Object.entries(each).flatMap(([place, one]) => {
    const path = `each.${place}`;
    const here = places.includes(place) ? [] : [{ path, message: `there is no host ${place}`, fix: `the hosts are ${places.join(", ")}` }];
    return [...here, ...check(one, path), ...checkRenew(one.renew, `${path}.renew`)];
  });
}

function checkRenew(renew: unknown, path: string): Problem[] {
  if (renew === undefined || (typeof renew === "string" && /^[A-Za-z0-9.-]{1,40}$/.test(renew))) return [];
  return [{ path, message: `${show(renew)} is not a short text`, fix: 'use up to 40 letters, digits, dots and hyphens, such as "2026-05-01"' }];
}
