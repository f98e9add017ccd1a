import { nearestName } from "../nearest";
import type { PlannedSubnet } from "../addresses/subnets";
import { type Report, show } from "../report";

/** @returns those that can be read. */
export function checkRenumber(given: readonly unknown[] | undefined, report: Report): readonly string[] {
  return (given ?? []).filter((owner, index): owner is string => {
    if (typeof owner === "string") return true;
    report(`renumber[${index}]`, `${show(owner)} is not an owner of addresses`, 'write its name as the preview has it, such as "network web"');
    return false;
  });
}

/** What is gone may be named for a while, but a name that was misspelt lets nothing move. */
export function renumberWarnings(renumber: readonly string[], subnets: readonly PlannedSubnet[]): string[] {
  const owners = subnets.map(({ owner }) => owner);
  return renumber.flatMap((owner) => {
    if (owners.includes(owner)) return [];
    const meant = nearestName(owner, owners) ?? owners.find((each) => each.endsWith(` ${owner}`));
    return [
      `renumber: nothing of the plan is named ${show(owner)}${meant === undefined ? `; there are ${owners.join(", ")}` : `; did you mean ${show(meant)}?`}`,
    ];
  });
}
