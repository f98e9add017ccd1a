import { ifRequired } from "../maintenance/due";
import { fewOf, type Report, show } from "../report";
import type { MaintenanceArgs } from "./args";

/** Says what is wrong with the options of a walk. @param hosts Keys of all hosts. */
export function checkMaintenance(args: MaintenanceArgs, hosts: readonly string[], report: Report): void {
  checkShare(args.workersAway, report);
  checkDrained(args.drained, hosts, report);
  checkOccasion("reboot", args.reboot, report);
  checkOccasion("packages", args.packages, report);
  checkRebootSeconds(args.rebootSeconds, report);
}

/** Of a text that asks for something once. */
const longestOccasion = 100;

function checkOccasion(name: "reboot" | "packages", given: unknown, report: Report): void {
  const path = `maintenance.${name}`;
  const another = 'write a text, and another one each time, such as "2026-12"';
  const fix = name === "reboot" ? `${another}, or "${ifRequired}"` : another;
  if (given === undefined) return;
  if (typeof given !== "string") return report(path, `${show(given)} is not a text`, typeof given === "number" ? `write it as "${given}"` : fix);
  if (/^(?:if|when)?[ _-]?required$|^if[ _-]?needed$|^(?:auto|always|never)$/i.test(given.trim()) && !(name === "reboot" && given === ifRequired)) {
    const meant = name === "reboot" && !/never/i.test(given);
    return report(
      path,
      `${show(given)} would ask for it once, as any other text does`,
      meant ? `write "${ifRequired}", or ${another.slice(6)}` : fix,
    );
  }
  if (given.trim() === "" || given.length > longestOccasion || /\p{Cc}/u.test(given))
    report(path, `${show(given)} is not one line of up to ${longestOccasion} characters`, fix);
}

const [leastRebootSeconds, mostRebootSeconds] = [30, 3600];

function checkRebootSeconds(given: unknown, report: Report): void {
  if (given === undefined || (Number.isInteger(given) && (given as number) >= leastRebootSeconds && (given as number) <= mostRebootSeconds)) return;
  report(
    "maintenance.rebootSeconds",
    `${show(given)} is not a number of seconds from ${leastRebootSeconds} to ${mostRebootSeconds}`,
    "write a whole number such as 900, or leave it out",
  );
}

function checkDrained(given: unknown, hosts: readonly string[], report: Report): void {
  const path = "maintenance.drained";
  if (given === undefined) return;
  if (!Array.isArray(given))
    return report(path, `${show(given)} is not a list of hosts`, `write such as ["${hosts[0] ?? "edge-1"}"], or leave it out`);
  for (const [index, name] of given.entries()) {
    if (!hosts.includes(name as string))
      report(`${path}[${index}]`, `${show(name)} is not a host of this cluster`, `name some of ${fewOf(hosts, 8)}`);
  }
  if (hosts.length > 0 && hosts.every((host) => given.includes(host)))
    report(path, "all hosts are drained, so that no task could run anywhere", "leave at least one out");
}

function checkShare(workersAway: unknown, report: Report): void {
  const share = workersAway;
  if (share === undefined || (typeof share === "number" && share > 0 && share <= 1)) return;
  const percent =
    /^(\d{1,3})\s*%$/.exec(typeof share === "string" ? share : "")?.[1] ?? (typeof share === "number" && share > 1 ? String(share) : undefined);
  const meant = percent === undefined ? undefined : Number(percent) / 100;
  const fix =
    meant !== undefined && meant > 0 && meant <= 1 ? `write it as ${meant}` : "write a number above 0 and up to 1, such as 0.25 for a quarter";
  report("maintenance.workersAway", `${show(share)} is no share of the workers`, fix);
}
