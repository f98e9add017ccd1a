import { mixProblem, type NamedEngine, swarmProblem } from "../../engine/known";
import type { Rule } from "../finding";
import { engineOf } from "../situation";

export const enginesApart: Rule = {
  kind: "engines-apart",
  summary: "engines of versions that must not meet, or that lose packets in any swarm",
  find: ({ hosts, seen }) => {
    const engines = hosts.flatMap((host): NamedEngine[] => {
      const version = engineOf(host)?.version ?? seen.swarm?.nodes.find(({ address }) => address === host.planned?.address)?.engine;
      return version === undefined ? [] : [{ key: host.key, version }];
    });
    const mixed = seen.planned?.encrypted === true ? mixProblem(engines) : undefined;
    return [
      ...(mixed ? [{ severity: "broken" as const, hosts: engines.map(({ key }) => key), ...inTwo(mixed.message), fix: mixed.fix }] : []),
      ...engines.flatMap(({ key, version }) => {
        const problem = swarmProblem(version);
        return problem ? [{ severity: "broken" as const, hosts: [key], text: `${key}: its ${problem.message}`, fix: problem.fix }] : [];
      }),
    ];
  },
};

/** What is wrong, and how that comes about. */
function inTwo(message: string): { readonly text: string; readonly detail?: string } {
  const [text = "", detail] = message.split(/: ([^]*)/);
  return { text, ...(detail !== undefined && { detail }) };
}
