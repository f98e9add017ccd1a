import type { SeenPath } from "../seen";
import type { Situation } from "../situation";
import { table } from "./table";

/** Of more hosts, only the sites are shown. */
const mostHosts = 8;

interface End {
  readonly name: string;
  readonly keys: ReadonlySet<string>;
}

/** From each row to each column: the worst of the paths that were tried. */
export function pathLines(situation: Situation): string[] {
  const { paths, hosts, looked, seen } = situation;
  const sites = [...new Set(hosts.map(({ planned }) => planned?.site ?? ""))];
  const ends: readonly End[] =
    looked.length <= mostHosts
      ? looked.map(({ key }) => ({ name: key, keys: new Set([key]) }))
      : sites.map((site) => ({ name: site, keys: new Set(hosts.filter(({ planned }) => (planned?.site ?? "") === site).map(({ key }) => key)) }));
  if (paths.length === 0) return [];
  const rows = ends.map(({ name, keys }) => [
    name,
    ...ends.map((to) => cell(paths.filter((path) => keys.has(path.from.key) && to.keys.has(path.to.key)).map(({ path }) => path))),
  ]);
  const mtu = seen.planned?.underlayMtu;
  const proven = paths.filter(({ path }) => path.carriesMtu === true).length;
  return [
    ...table([["", ...ends.map(({ name }) => name)], ...rows], "  "),
    ...(mtu === undefined ? [] : [`  packets of ${mtu} bytes pass whole on ${proven} of ${paths.length} paths`]),
  ];
}

function cell(paths: readonly SeenPath[]): string {
  if (paths.length === 0) return "-";
  const sent = paths.reduce((sum, path) => sum + path.sent, 0);
  const lost = paths.reduce((sum, path) => sum + path.lost, 0);
  const slowest = Math.max(...paths.map(({ roundTrip = 0 }) => roundTrip));
  if (lost === sent) return "all lost";
  const time = slowest < 10 ? slowest.toFixed(1) : slowest.toFixed(0);
  return lost === 0 ? time : `${time} (${Math.round((100 * lost) / sent)} % lost)`;
}
