import type { Rule } from "../finding";

export const engineStopped: Rule = {
  kind: "engine-stopped",
  summary: "a host answers, but its Docker engine does not run or does not answer",
  find: (situation) => [
    ...situation.are("engine stopped").map((host) => {
      const { engine = "inactive", engineSaid = "", damagedSettings } = host.system ?? {};
      const why = damagedSettings?.replace(/\. Fix: .*$/, "") ?? (engineSaid === "" ? undefined : `its last words: ${plainWords(engineSaid)}`);
      return {
        severity: "broken" as const,
        hosts: [host.key],
        text: `${host.key}: its Docker engine does not run (${engine === "inactive" ? "somebody stopped it" : engine})`,
        ...(why !== undefined && { detail: why }),
        fix:
          damagedSettings !== undefined
            ? `correct /etc/docker/daemon.json on ${host.key}, then run "systemctl restart docker" there`
            : `run "systemctl start docker" on ${host.key}; "journalctl -u docker" there says why it stopped`,
      };
    }),
    ...situation.are("engine silent").map((host) => ({
      severity: "broken" as const,
      hosts: [host.key],
      text: `${host.key}: its Docker engine runs, but does not answer`,
      ...(host.engine && "silent" in host.engine && { detail: host.engine.silent }),
      fix: `look at "journalctl -u docker" on ${host.key}; "systemctl restart docker" there restarts its containers`,
    })),
  ],
};

/** Docker's log has the time and the level before its message. */
function plainWords(line: string): string {
  return line.replace(/^time=\S+ level=\w+ msg=/, "");
}
