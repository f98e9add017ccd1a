import { upAgain } from "../../health";
import type { Rule } from "../finding";

export const swarmLocked: Rule = {
  kind: "swarm-locked",
  summary: "a manager's engine restarted and waits for the unlock key",
  find: (situation) =>
    situation.are("locked").map(({ key }) => ({
      severity: "broken",
      hosts: [key],
      text: `${key} is locked: its engine restarted and waits for the unlock key, so it is no manager, and starts no task`,
      fix: `${upAgain}: it has the key. By hand: "docker swarm unlock" on ${key}`,
      drift: true,
    })),
};
