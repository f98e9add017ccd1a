import { type PlannedName, stashType } from "../../names/name";
import { type NamesContext } from "../host";
import { keysName } from "./keys";
import { memoryNames } from "./memory";

/** The component of a host, as it stands in the URNs of what is made for it. */
export const underHost = "pulumi-swarm:index:Host$";

/** What a host of every cloud has: what is remembered of its machine, and hooks, which are called by its name. */
export function cloudNames(cloud: string, { cluster, group, hosts }: NamesContext): PlannedName[] {
  const path = `hosts.${group}`;
  const own = { of: `group ${group}`, path };
  return [
    { type: stashType, name: keysName(cluster, cloud), of: `the keys of ${cloud} hosts`, path },
    ...hosts.flatMap(({ key }): PlannedName[] => [
      ...Object.values(memoryNames(cluster, key)).map((name) => ({ ...own, type: `${underHost}${stashType}`, name })),
      { ...own, type: "resource hook", name: `${cluster}-${key}`, anywhere: true },
    ]),
  ];
}
