import type { Rule } from "../finding";
import type { SeenHost } from "../seen";
import { engineOf } from "../situation";
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
    const said = asked.flatMap((host) => engineOf(host)?.error ?? []).find((error) => error !== "");
    const missing = quorum.needed - asked.length;
    // They are only slow.
    if (missing <= 0 && said === undefined) return [];
    return [
      {
        severity: "broken",
        hosts: managers.map(({ key }) => key),
        text:
          missing > 0
            ? `quorum is lost: ${asked.length} of ${severalOf(quorum.total, "manager")} ${asked.length === 1 ? "answers" : "answer"}, ${quorum.needed} are needed`
            : `quorum is lost: ${names(asked)} ${asked.length === 1 ? "runs" : "run"}, but the managers do not find each other`,
        detail: `${missing > 0 ? whyAway(away) : (said ?? "")}. Running services go on, but nothing can be changed, and nothing that fails is started again`,
        explains: ["unreachable"],
        fix:
          missing > 0
            ? `start ${names(away, " or ")} again: ${missing === 1 ? "one of them is enough" : `${missing} of them are enough`}. If they are gone permanently, "pulumi up" prints the value of membership.recover that forms the swarm again from those that are left`
            : "see whether 2377/tcp passes between the managers, then wait half a minute for an election",
      },
    ];
  },
};

/** Of each manager that is away, the reason. */
export function whyAway(away: readonly SeenHost[]): string {
  const reasons = away.map((host) => {
    const { key, unreached, system, engine } = host;
    if (unreached !== undefined) return `${key} ${unreached.replace(/\.$/, "")}`;
    if (system && system.engine !== "active") return `the engine of ${key} is ${system.engine}`;
    if (engine && "silent" in engine) return `the engine of ${key} does not answer: ${engine.silent}`;
    return `the engine of ${key} is "${engineOf(host)?.state ?? "not known"}" in the swarm`;
  });
  return reasons.join("; ");
}
