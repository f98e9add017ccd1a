import { upAgain } from "../../health";
import type { Rule } from "../finding";
import { engineOf } from "../situation";

export const noMember: Rule = {
  kind: "no-member",
  summary: "a host's engine runs, and it is not in the swarm",
  find: (situation) =>
    situation.are("no member").map((host) => {
      const { state = "inactive", error = "" } = engineOf(host) ?? {};
      const how = state === "inactive" ? "it is in no swarm" : state === "active" ? "the managers do not know it" : `its engine is "${state}"`;
      return {
        severity: "broken",
        hosts: [host.key],
        text: `${host.key} is not a member of the swarm: ${how}${error === "" ? "" : ` (${error})`}`,
        fix: `${upAgain}: it joins again`,
        drift: true,
      };
    }),
};
