import type { Rule } from "../finding";

/** Both ways to it fail, so that it is the machine and not the way. */
export const hostDead: Rule = {
  kind: "host-dead",
  summary: "a host answers neither over SSH nor the managers: its machine is off, frozen or cut off",
  find: (situation) => {
    const { quorum } = situation;
    return situation.are("dead").map((host) => {
      const margin = quorum.alive - quorum.needed;
      const risk =
        situation.isManager(host) && quorum.total > 1
          ? `; ${quorum.alive} of ${quorum.total} managers answer, and ${margin === 0 ? "one more that fails loses the quorum" : `${margin} more may fail`}`
          : "";
      return {
        severity: "broken" as const,
        hosts: [host.key],
        text: `${host.key} is down${risk}`,
        detail: `the managers call it ${situation.nodeOf(host)?.state ?? "down"}, and it ${reason(host.unreached)}`,
        fix: `see at the provider's console whether the machine of ${host.key} runs, and start it. If it is gone permanently, replace its machine or take it out of the program, and run "pulumi up"`,
      };
    });
  },
};

function reason(unreached: string | undefined): string {
  return unreached === undefined ? "was not asked" : unreached.replace(/\.$/, "");
}
