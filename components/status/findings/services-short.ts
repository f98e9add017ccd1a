import type { Rule } from "../finding";
import { fewOf } from "../../report";
import { severalOf } from "../words";

/** Mostly what follows from another finding, so that it comes late. */
export const servicesShort: Rule = {
  kind: "services-short",
  summary: "services run fewer tasks than they should",
  find: ({ seen }) => {
    const short = (seen.swarm?.services ?? []).filter(({ running, wanted }) => running < wanted);
    if (short.length === 0) return [];
    const none = short.filter(({ running }) => running === 0);
    return [
      {
        severity: none.length > 0 ? "broken" : "warning",
        hosts: [],
        text: `${severalOf(short.length, "service")} ${short.length === 1 ? "runs" : "run"} too few tasks: ${fewOf(short.map(({ name, running, wanted }) => `${name} ${running} of ${wanted}`))}`,
        fix: `see "docker service ps ${short[0]?.name ?? ""} --no-trunc" on a manager: it says why tasks do not start`,
      },
    ];
  },
};
