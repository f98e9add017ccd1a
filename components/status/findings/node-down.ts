import type { Rule } from "../finding";

export const nodeDown: Rule = {
  kind: "node-down",
  summary: "a host and its engine answer, but the managers do not hear from it",
  find: (situation) =>
    situation.are("down").map((host) => ({
      severity: "broken",
      hosts: [host.key],
      text: `${host.key} runs, but the managers call it ${situation.nodeOf(host)?.state ?? "down"}: they do not hear from it`,
      fix: `see whether 2377/tcp and 7946/tcp+udp pass between ${host.key} and the managers (Paths, below); "journalctl -u docker" there says what it meets`,
    })),
};
