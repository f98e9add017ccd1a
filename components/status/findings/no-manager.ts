import type { Rule } from "../finding";
import { engineOf } from "../situation";
import { severalOf } from "../words";
import { whyAway } from "./quorum-lost";

export const noManager: Rule = {
  kind: "no-manager",
  summary: "hosts answer, but no manager among them, so nobody can tell how the swarm is",
  find: ({ looked, managers, seen }) => {
    if (looked.length === 0 || seen.swarm || managers.some((host) => engineOf(host)?.controlAvailable === true)) return [];
    return [
      {
        severity: "broken",
        hosts: managers.map(({ key }) => key),
        text:
          managers.length === 0
            ? "none of these hosts is a manager, so nobody can tell how the swarm is"
            : `none of ${severalOf(managers.length, "manager")} can be asked, so nobody can tell how the swarm is`,
        detail: whyAway(managers),
        explains: ["unreachable"],
        fix: managers.length === 0 ? "give a connection to a manager" : "see at the provider's console whether these machines run, and start them",
      },
    ];
  },
};
