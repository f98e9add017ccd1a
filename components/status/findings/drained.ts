import { drainedLabel } from "../../membership/types";
import type { Rule } from "../finding";

export const drained: Rule = {
  kind: "drained",
  summary: "somebody took a node out of service by hand, and up leaves it so",
  find: (situation) =>
    situation.hosts.flatMap((host) => {
      const node = situation.nodeOf(host);
      // By the program's word it is as planned.
      if (!node || node.availability === "active" || drainedLabel in node.labels) return [];
      const effect = node.availability === "drain" ? "no task runs there" : "no new task starts there";
      return [
        {
          severity: "warning" as const,
          hosts: [host.key],
          text: `${host.key}: its availability was set to "${node.availability}", so ${effect}`,
          fix: `where nobody needs that any more, run "docker node update --availability active ${node.hostname}" on a manager`,
        },
      ];
    }),
};
