import { fewOf, type Report, show } from "../report";
import type { MaintenanceArgs } from "./args";

/** Says what is wrong with the options of a walk. @param hosts Keys of all hosts. */
export function checkMaintenance({ workersAway, drained }: MaintenanceArgs, hosts: readonly string[], report: Report): void {
  checkShare(workersAway, report);
  checkDrained(drained, hosts, report);
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
