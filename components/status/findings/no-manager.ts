import type { Finding } from "../../health";
import type { Rule } from "../finding";
import { engineOf, type Situation } from "../situation";
import { names, severalOf } from "../words";
import { whyAway } from "./quorum-lost";

export const noManager: Rule = {
  kind: "no-manager",
  summary: "hosts answer, but no manager tells of the swarm, so nobody knows how it is",
  find: (situation) => {
    const { looked, managers, seen } = situation;
    if (looked.length === 0 || seen.swarm) return [];
    const asked = managers.filter((host) => engineOf(host)?.controlAvailable === true);
    if (asked.length > 0) return slow(situation, asked);
    return [
      {
        severity: "broken",
        hosts: managers.map(({ key }) => key),
        text:
          managers.length === 0
            ? "none of these hosts is a manager, so nobody can tell how the swarm is"
            : `none of ${severalOf(managers.length, "manager")} can be asked, so nobody can tell how the swarm is`,
        ...(managers.length > 0 && { detail: whyAway(managers) }),
        explains: ["unreachable"],
        fix: managers.length === 0 ? "give a connection to a manager" : "see at the provider's console whether these machines run, and start them",
      },
    ];
  },
};

/** Without a leader they would say so, which is a lost quorum. */
function slow({ quorum }: Situation, asked: Situation["managers"]): Omit<Finding, "kind">[] {
  if (asked.length < quorum.needed || asked.some((host) => engineOf(host)?.error !== "")) return [];
  return [
    {
      severity: "broken",
      hosts: asked.map(({ key }) => key),
      text: `${names(asked)} answer, but none tells of the nodes in time`,
      fix: `look again; where it stays so, "docker node ls" on ${asked[0]?.key ?? "a manager"} and "journalctl -u docker" there say what it waits for`,
    },
  ];
}
