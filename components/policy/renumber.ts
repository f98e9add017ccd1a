import { stashType } from "../names/name";
import type { Policy, ResourceValidationPolicy } from "@pulumi/policy";
import type { TopologySubnet } from "../topology/topology";
import { configOf } from "./config";
import { Noted, plainAt } from "./noted";

/** Which subnets may move. */
export interface RenumberConfig {
  /** Owners of subnets that may move, as the preview names them: `network web`. @default - none */
  readonly allow?: readonly string[];
}

/**
 * What is wrong with where a subnet is.
 *
 * @param memory the address that is in use, which stays as it is where the program has not said that it may become another
 */
export function renumberProblem(
  { owner, cidr, pinned }: TopologySubnet,
  memory: { readonly remembered: string; readonly mayMove: boolean },
  { allow = [] }: RenumberConfig,
): string | undefined {
  if (allow.includes(owner)) return undefined;
  const allowed = `allow it by "allow": ["${owner}"] in the configuration of the policy renumber`;
  if (memory.remembered !== cidr) {
    return `The subnet of "${owner}" is ${memory.remembered}, and would become ${cidr} while it is in use. Fix: pin it, as the error of the preview says.`;
  }
  // A pin says where the subnet must be, and so is the way to keep it as well.
  if (!memory.mayMove || pinned) return undefined;
  return `The program lists "${owner}" in "renumber", so that an edit may move its subnet while it is in use. Fix: take it out of the list, or ${allowed}.`;
}

export function renumberPolicy(): ResourceValidationPolicy {
  const noted = new Noted();
  const policy = {
    name: "renumber",
    description: "No subnet that is in use may become another one.",
    configSchema: {
      properties: {
        allow: {
          type: "array",
          items: { type: "string" },
          description: 'Owners of subnets that may move, as the preview names them: "network web".',
        },
      },
    },
  } satisfies Policy;
  return {
    ...policy,
    validateResource: (args, report) => {
      const config = configOf<RenumberConfig>(policy, args);
      noted.note(args);
      const { type, props, opts } = args;
      const subnet = noted.get(opts.parent);
      if (type !== stashType || subnet?.type !== "pulumi-swarm:index:SubnetAssignment") return;
      const memory = { remembered: String(plainAt(props, "input")), mayMove: !opts.ignoreChanges.includes("input") };
      const message = renumberProblem(subnet.inputs as unknown as TopologySubnet, memory, config);
      if (message !== undefined) report(message);
    },
  };
}
