import type { TopologyHost } from "./topology";

/** How many managers must agree for anything to change, and how many may be away. */
export interface ManagerQuorum {
  readonly managers: number;
  readonly majority: number;
  readonly mayFail: number;
}

export function quorumOf(managers: number): ManagerQuorum {
  const majority = Math.floor(managers / 2) + 1;
  return { managers, majority, mayFail: Math.max(0, managers - majority) };
}

/** Whether the swarm takes no changes while so many of its managers are away. */
export function quorumRisk(managers: number, away: number): boolean {
  return managers > 0 && away > quorumOf(managers).mayFail;
}

export function managersOf({ hosts }: { readonly hosts: readonly TopologyHost[] }): TopologyHost[] {
  return hosts.filter(({ role }) => role === "manager");
}
