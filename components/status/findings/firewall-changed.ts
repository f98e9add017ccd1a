import { upAgain } from "../../health";
import type { Rule } from "../finding";

export const firewallChanged: Rule = {
  kind: "firewall-changed",
  summary: "the rules of a host's firewall are not those of the plan, or somebody changed them",
  find: ({ looked, seen: { planned } }) => {
    if (!planned?.rules) return [];
    return looked.flatMap(({ key, system }) => {
      const { state, asPlanned } = system.firewall;
      const watch = system.units["pulumi-swarm-firewall-watch.service"] ?? "not there";
      const what = [
        ...(state === "changed" ? ["somebody changed the rules that are loaded"] : []),
        ...(state !== "none" && asPlanned === false ? ["its rules are not those of the last plan"] : []),
        ...((state === "whole" || state === "changed") && watch !== "active" ? [`the unit that keeps them is ${watch}`] : []),
      ];
      if (what.length === 0) return [];
      return [
        { severity: "warning" as const, hosts: [key], text: `${key}: its firewall differs: ${what.join("; ")}`, fix: upAgain, drift: true as const },
      ];
    });
  },
};
