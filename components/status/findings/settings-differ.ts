import { upAgain } from "../../health";
import type { Rule } from "../finding";
import { fewOf } from "../../report";

export const settingsDiffer: Rule = {
  kind: "settings-differ",
  summary: "a host's daemon.json is not what the program says, or cannot be read",
  find: (situation) =>
    situation.looked.flatMap((host) => {
      const { settings = [], damagedSettings } = host.system;
      // Of an engine that does not run, it is the cause, and said there.
      if (damagedSettings !== undefined && situation.standing(host) === "engine stopped") return [];
      if (damagedSettings === undefined && settings.length === 0) return [];
      const damaged = damagedSettings?.replace(/\. Fix: .*$/, "").replace(/^its /, "");
      return [
        {
          severity: "warning" as const,
          hosts: [host.key],
          text: damaged === undefined ? `${host.key}: its daemon.json differs from the program in ${fewOf(settings)}` : `${host.key}: ${damaged}`,
          fix:
            damaged === undefined ? `${upAgain}: engines restart one after the other` : `correct the file on ${host.key} before its engine restarts`,
          ...(damaged === undefined ? { drift: true as const } : {}),
        },
      ];
    }),
};
