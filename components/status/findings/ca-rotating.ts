import type { Rule } from "../finding";

export const caRotating: Rule = {
  kind: "ca-rotating",
  summary: "a change of the swarm's root CA is not done: it waits for nodes that are down",
  find: ({ seen, nodes }) => {
    if (seen.swarm?.caRotating !== true) return [];
    const away = nodes.filter(({ state }) => state !== "ready").map(({ hostname }) => hostname);
    return [
      {
        severity: "warning",
        hosts: [],
        text: `the swarm's root CA is being changed, and that is not done${away.length > 0 ? `: it waits for ${away.join(", ")}` : ""}`,
        fix:
          away.length > 0
            ? 'start these nodes again, or remove them by "docker node rm" where they are gone permanently'
            : "wait some seconds and look again",
      },
    ];
  },
};
