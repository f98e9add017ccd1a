import { engineOf, type Situation } from "../situation";
import type { Rule } from "../finding";
import { names, severalOf } from "../words";

export const quorumLost: Rule = {
  kind: "quorum-lost",
  summary: "too few managers answer each other: nothing of the swarm can be changed, and nothing that fails is started again",
  find: (situation) => {
    const { quorum, managers, seen, looked } = situation;
    if (looked.length === 0 || seen.swarm) return [];
    const asked = managers.filter((host) => engineOf(host)?.controlAvailable === true);
    // Where no manager answers at all, nobody can tell whether they answer each other.
    if (asked.length === 0) return [];
    const away = managers.filter((host) => !asked.includes(host));
    const said = [...new Set(asked.flatMap((host) => engineOf(host)?.error ?? []))].find((error) => error !== "") ?? "it does not answer";
    const missing = quorum.needed - asked.length;
    return [
      {
        severity: "broken",
        hosts: managers.map(({ key }) => key),
        text:
          missing > 0
            ? `quorum is lost: ${asked.length} of ${severalOf(quorum.total, "manager")} ${asked.length === 1 ? "answers" : "answer"}, ${quorum.needed} are needed; away: ${names(away)} (${whyAway(situation)}). Running services go on, but nothing can be changed and nothing that fails is started again`
            : `quorum is lost: ${names(asked)} ${asked.length === 1 ? "runs" : "run"}, but the managers do not find each other: ${said}`,
        fix:
          missing > 0
            ? `start ${names(away)} again: ${missing === 1 ? "one of them is enough" : `${missing} of them are enough`}. Only if they are gone permanently, run "pulumi up": it prints the command that forms the swarm again from ${asked[0]?.key}`
            : "see whether 2377/tcp passes between the managers, then wait half a minute for an election",
      },
    ];
  },
};

/** The first reason that is known of a manager that is away. */
function whyAway({ managers }: Situation): string {
  const reasons = managers.flatMap(({ unreached, system, engine }) => {
    if (unreached !== undefined) return [unreached];
    if (system && system.engine !== "active") return [`its engine is ${system.engine}`];
    return engine && "silent" in engine ? [engine.silent] : [];
  });
  return reasons[0] ?? "they are no managers now";
}
