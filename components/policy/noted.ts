import { type PolicyResource, type ResourceValidationArgs, UnknownValueError } from "@pulumi/policy";
import type { WrittenResource } from "../topology/of-resources";

/** Stands in copies for what is known only when it is made. */
export const unknown = "[unknown]";

/** A copy of what a policy is shown: there, looking at an unknown value ends the policy. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, index) => plainAt(value, index));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, plainAt(value, key)]));
}

/** One property, where the others are nobody's business: secrets come to policies as they are. */
export function plainAt(properties: object, key: string | number): unknown {
  try {
    return plain((properties as Record<string | number, unknown>)[key]);
  } catch (error) {
    if (error instanceof UnknownValueError) return unknown;
    throw error;
  }
}

/**
 * The inputs of this package's own components. Who looks at a whole stack is shown outputs, of which components have none, so that
 * what goes in is noted down as the program says it.
 */
export class Noted {
  private readonly byUrn = new Map<string, WrittenResource>();

  note({ urn, type, props, opts }: Pick<ResourceValidationArgs, "urn" | "type" | "props" | "opts">): void {
    if (!type.startsWith("pulumi-swarm:index:")) return;
    const inputs = plain(props) as WrittenResource["inputs"];
    this.byUrn.set(urn, { urn, type, inputs, ...(opts.parent !== undefined && { parent: opts.parent }) });
  }

  get(urn: string | undefined): WrittenResource | undefined {
    return urn === undefined ? undefined : this.byUrn.get(urn);
  }

  /** Those that are part of the stack: the same process may have seen another run of the program. */
  among(resources: readonly Pick<PolicyResource, "urn">[]): WrittenResource[] {
    return resources.flatMap(({ urn }) => this.byUrn.get(urn) ?? []);
  }
}
