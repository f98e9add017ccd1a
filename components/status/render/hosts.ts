import { engineOf, type Situation, type Standing } from "../situation";
import type { SeenHost, System } from "../seen";
import { duration } from "../words";

const said: Readonly<Record<Standing, string>> = {
  dead: "down",
  hidden: "ready, not reached",
  "not seen": "not reached",
  "not asked": "ready, not asked",
  "engine stopped": "engine stopped",
  "engine silent": "engine silent",
  locked: "locked",
  "no member": "not a member",
  down: "down, but answers",
  ready: "ready",
};

/** The table of hosts, its heading first. Pure text. */
export function hostRows(situation: Situation): string[][] {
  const rows = situation.hosts.map((host) => hostRow(host, situation));
  return [["host", "role", "site", "engine", "kernel", "state", "clock", "disk", "reboot"], ...rows];
}

function hostRow(host: SeenHost, situation: Situation): string[] {
  const { system, planned } = host;
  const node = situation.nodeOf(host);
  return [
    host.key,
    node?.role ?? planned?.role ?? "-",
    planned?.site ?? "-",
    engineOf(host)?.version ?? node?.engine ?? "-",
    system?.kernel ?? "-",
    stateOf(host, situation),
    system ? clockOf(system) : "-",
    system ? diskOf(system) : "-",
    system ? (system.reboot ? "needed" : "no") : "-",
  ];
}

/** What `standing` says, and what a manager says beside it. */
function stateOf(host: SeenHost, situation: Situation): string {
  const node = situation.nodeOf(host);
  const standing = situation.standing(host);
  const aside = node && node.availability !== "active" ? [node.availability === "drain" ? "drained" : "paused"] : [];
  const leader = node?.leader === true && standing === "ready" ? ["leader"] : [];
  return [said[standing], ...leader, ...aside].join(", ");
}

export function clockOf({ clock }: Pick<System, "clock">): string {
  return Math.abs(clock) < 1 ? "ok" : `${clock > 0 ? "+" : "-"}${duration(clock)}`;
}

/** The fullest of its disks. */
function diskOf({ disks }: System): string {
  const used = Math.max(...disks.map(({ usedPercent, inodesPercent }) => Math.max(usedPercent, inodesPercent)), 0);
  return `${used} %`;
}
