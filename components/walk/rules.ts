import { type Report, show } from "../report";
import type { MaintenanceArgs } from "./args";

/** Says what is wrong with the options of a walk. */
export function checkMaintenance({ workersAway }: MaintenanceArgs, report: Report): void {
  const share: unknown = workersAway;
  if (share === undefined || (typeof share === "number" && share > 0 && share <= 1)) return;
  const percent =
    /^(\d{1,3})\s*%$/.exec(typeof share === "string" ? share : "")?.[1] ?? (typeof share === "number" && share > 1 ? String(share) : undefined);
  const meant = percent === undefined ? undefined : Number(percent) / 100;
  const fix =
    meant !== undefined && meant > 0 && meant <= 1 ? `write it as ${meant}` : "write a number above 0 and up to 1, such as 0.25 for a quarter";
  report("maintenance.workersAway", `${show(share)} is no share of the workers`, fix);
}
