import type { Rule } from "../finding";
import { duration } from "../words";

/**
 * A node renews its certificate when half to four fifths of its time have passed (swarmkit, ca/renewer.go, calculateRandomExpiry): with less left, renewing
 * has failed again and again.
 */
const renewedBy = 0.8;

export const certificateEnding: Rule = {
  kind: "certificate-ending",
  summary: "a node's certificate was not renewed in time, or has ended: it cannot talk to the managers then",
  find: ({ looked, seen }) => {
    const now = Date.parse(seen.at);
    return looked.flatMap(({ key, system: { certificate } }) => {
      if (!certificate) return [];
      const [from, until] = [Date.parse(certificate.from), Date.parse(certificate.until)];
      const left = (until - now) / 1000;
      if (now < from + (until - from) * (renewedBy + 0.05)) return [];
      return [
        {
          severity: left <= 0 ? ("broken" as const) : ("warning" as const),
          hosts: [key],
          text: `${key}: the certificate of its node ${left <= 0 ? `ended ${duration(left)} ago` : `ends in ${duration(left)}`}, and was not renewed in time`,
          fix: `see whether ${key} reaches a manager on 2377/tcp and whether its clock is right; "systemctl restart docker" there has it ask at once. Where it has ended, take the host out of the program and put it back in`,
        },
      ];
    });
  },
};
