import { upAgain } from "../../health";
import type { Rule } from "../finding";

export const roleDiffers: Rule = {
  kind: "role-differs",
  summary: "a node is a manager or a worker, and planned as the other",
  find: (situation) =>
    situation.hosts.flatMap((host) => {
      const [is, planned] = [situation.nodeOf(host)?.role, host.planned?.role];
      if (is === undefined || planned === undefined || is === planned) return [];
      return [
        {
          severity: "warning" as const,
          hosts: [host.key],
          text: `${host.key} is a ${is}, and planned as a ${planned}`,
          fix: upAgain,
          drift: true as const,
        },
      ];
    }),
};
