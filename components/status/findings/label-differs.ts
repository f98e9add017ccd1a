import { upAgain } from "../../health";
import { hostLabel } from "../../membership/types";
import type { Rule } from "../finding";

/** Placement depends on them: a service whose constraint no node meets does not start. */
export const labelDiffers: Rule = {
  kind: "label-differs",
  summary: "a node does not have a label that the program gives it",
  find: (situation) =>
    situation.hosts.flatMap((host) => {
      const node = situation.nodeOf(host);
      if (!node || !host.planned) return [];
      const wanted = { ...host.planned.labels, [hostLabel]: host.key };
      const differing = Object.entries(wanted).filter(([name, value]) => node.labels[name] !== value);
      if (differing.length === 0) return [];
      const list = differing.map(([name, value]) => `${name}=${value} ${node.labels[name] === undefined ? "is missing" : `is ${node.labels[name]}`}`);
      return [
        {
          severity: "warning" as const,
          hosts: [host.key],
          text: `${host.key}: labels differ from the program: ${list.join("; ")}`,
          fix: upAgain,
          drift: true as const,
        },
      ];
    }),
};
