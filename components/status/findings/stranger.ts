import type { Rule } from "../finding";

export const stranger: Rule = {
  kind: "stranger",
  summary: "a member of the swarm is no host of the program",
  find: (situation) => {
    const { seen, nodes, hosts } = situation;
    if (!seen.planned) return [];
    const known = new Set(hosts.flatMap((host) => situation.nodeOf(host)?.id ?? []));
    return nodes
      .filter(({ id }) => !known.has(id))
      .map(({ hostname, role, state, id }) => ({
        severity: "warning" as const,
        hosts: [],
        text: `the ${role} ${hostname} (${state}) is a member of the swarm and no host of the program${role === "manager" ? ": it counts for the quorum" : ""}`,
        fix: `where it is not wanted, run ${role === "manager" ? `"docker node demote ${id}", then ` : ""}"docker node rm ${id}" on a manager; else add it to the program`,
      }));
  },
};
