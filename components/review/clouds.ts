import { behaviour as aws } from "../hosts/aws/behaviour";
import { propertiesThat, refusalOf, type ResourceBehaviour } from "../hosts/cloud/behaviour";
import { behaviour as hetzner } from "../hosts/hetzner/behaviour";

/** What clouds do with what this package makes there. */
const behaviour: ReadonlyMap<string, ResourceBehaviour> = new Map(Object.entries<ResourceBehaviour>({ ...aws, ...hetzner }));

/** Whether a change of an argument stops the machine for a while; the machines' own code has them stopped one at a time. */
export function stopsBy(type: string, argument: string): boolean {
  const row = behaviour.get(type);
  return row !== undefined && propertiesThat(row, "stops", "powers off").includes(argument);
}

/** @returns the argument for which the cloud would refuse to delete it, as it is now */
export function protectedBy(type: string, inputs: Readonly<Record<string, unknown>>): string | undefined {
  const row = behaviour.get(type);
  return row && refusalOf(row, inputs)?.property;
}
