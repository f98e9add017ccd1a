import type { Rule } from "../finding";

export const unreachable: Rule = {
  kind: "unreachable",
  summary: "a host cannot be looked at over SSH, though the managers count on it, or nobody can tell",
  find: (situation) => {
    // Where none answers, that is said once.
    if (situation.looked.length === 0) return [];
    return situation.are("hidden", "not seen").map((host) => {
      const ready = situation.standing(host) === "hidden";
      return {
        severity: "warning" as const,
        hosts: [host.key],
        text: ready
          ? `${host.key} is ready, but cannot be looked at over SSH`
          : `${host.key} cannot be looked at over SSH, and nobody can tell whether it runs`,
        detail: `it ${host.unreached?.replace(/\.$/, "") ?? "was not asked"}`,
        fix: ready
          ? 'correct what the message says (sshd, key, port, firewall.ssh): until then "pulumi up" cannot work on this host'
          : "see at the provider's console whether the machine runs",
      };
    });
  },
};
