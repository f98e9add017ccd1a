import { fewOf } from "../../../report";
import type { CalicoPeer } from "./settings";

/** What a host's BIRD says of sessions with routers that do not stand. */
export interface Greeting {
  readonly silent: readonly { readonly name: string; readonly why: string }[];
}

/** A line for each router that does not answer some of its hosts. */
export function silentRouters(
  routers: readonly CalicoPeer[],
  heard: readonly (Greeting & { readonly host: string })[],
  asNumber: number,
): readonly string[] {
  return routers.flatMap(({ name, address, as }) => {
    const silent = heard.flatMap(({ host, silent: all }) => all.flatMap((one) => (one.name === name ? [{ host, why: one.why }] : [])));
    const [first] = silent;
    if (!first) return [];
    const hosts = fewOf(silent.map(({ host }) => host).sort());
    return [
      `warning: no BGP session of ${hosts} with the router ${name} (${address}, AS ${as}), which so knows no way to their containers: BIRD says "${first.why}". ` +
        `Fix: see that it runs, and has these hosts as neighbours of AS ${asNumber} with the same password; the session begins by itself`,
    ];
  });
}
