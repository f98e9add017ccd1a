import type { Rule } from "../finding";
import { severalOf } from "../words";

/** Whoever looks may be the one who is cut off, so that nothing is said of the swarm. */
export const nothingAnswers: Rule = {
  kind: "nothing-answers",
  summary: "no host could be looked at",
  find: ({ hosts, looked }) => {
    if (hosts.length > 0 && looked.length > 0) return [];
    const reasons = [...new Set(hosts.flatMap(({ unreached }) => unreached ?? []))];
    return [
      {
        severity: "unknown",
        hosts: [],
        text: `none of ${severalOf(hosts.length, "host")} could be looked at, so nothing is known of the swarm`,
        ...(reasons[0] !== undefined && {
          detail: `${hosts[0]?.key ?? ""} ${reasons[0].replace(/\.$/, "")}${reasons.length > 1 ? `; the others have ${severalOf(reasons.length - 1, "other reason")}` : ""}`,
        }),
        fix: "see whether this machine reaches them at all: its own network or VPN, and whether firewall.ssh allows its address",
      },
    ];
  },
};
