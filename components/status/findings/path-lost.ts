import type { Rule } from "../finding";
import { blamed } from "../../health";
import { fewOf } from "../../report";

/** Percent of packets. One or two of five are no verdict on a line that others use too, or on a host that is busy. */
const noticeable = 60;

export const pathLost: Rule = {
  kind: "path-lost",
  summary: "packets get lost between two hosts, all of them (broken) or many (warning)",
  find: ({ paths, seen }) => {
    const over = seen.planned?.tunnel ? " through the tunnel" : "";
    const all = paths.filter(({ path }) => path.lost === path.sent);
    const some = paths.filter(({ path }) => path.lost < path.sent && (100 * path.lost) / path.sent >= noticeable);
    const pairs = [...new Set(all.map(({ from, to }) => [from.key, to.key].sort().join(" ")))].map((pair) => pair.split(" ") as [string, string]);
    return [
      ...blamed(pairs).map(({ host, peers }) => ({
        severity: "broken" as const,
        hosts: [host],
        text: `no packet passes between ${host} and ${fewOf(peers)}${over}, though these hosts run`,
        fix: `see what is between ${host} and the others: a route, a cloud's firewall, a cable`,
      })),
      ...some.map(({ from, to, path }) => ({
        severity: "warning" as const,
        hosts: [from.key, to.key],
        text: `${path.lost} of ${path.sent} packets from ${from.key} to ${to.key}${over} were lost`,
        fix: "look again; where it stays so, the line or one of the two machines is overloaded",
      })),
    ];
  },
};
