import type { Rule } from "../finding";

/** Docker makes them when it starts, and does not notice when somebody takes them away. */
export const dockerRules: Rule = {
  kind: "docker-rules",
  summary: "Docker's own firewall rules are gone from a host: published ports and the containers' way out do not work",
  find: ({ looked }) =>
    looked.flatMap(({ key, system: { lostRules } }) => {
      if (lostRules === undefined) return [];
      const [text = "", fix = ""] = lostRules.split(". Fix: ");
      return [{ severity: "broken" as const, hosts: [key], text: `${key}: ${text}`, fix }];
    }),
};
