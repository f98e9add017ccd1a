import type { Rule } from "../finding";

export const rebootRequired: Rule = {
  kind: "reboot-required",
  summary: "installed updates need a restart of the machine",
  find: (situation) =>
    situation.looked.flatMap((host) => {
      const { reboot } = host.system;
      if (!reboot) return [];
      const packages = reboot.packages === "" ? "" : ` (${reboot.packages.split(" ").slice(0, 3).join(", ")})`;
      const alone = situation.isManager(host) && situation.quorum.total === 1;
      return [
        {
          severity: "warning" as const,
          hosts: [host.key],
          text: `${host.key} needs a restart of the machine for its updates${packages}`,
          fix: `write maintenance: { reboot: "if required" }, or another membership.recheck where that is set, and run "pulumi up": it drains and restarts one host after the other${alone ? ". It is the only manager: meanwhile the swarm cannot be changed" : ""}`,
        },
      ];
    }),
};
