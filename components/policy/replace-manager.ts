import type { Policy, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { configOf } from "./config";
import { type ManagerMachine, managerMachines } from "./machines";
import { Noted } from "./noted";

/** How managers' machines must be protected. */
export interface ReplaceManagerConfig {
  /** Whether Pulumi must protect the machines of managers, so that it refuses to replace or delete them. @default false */
  readonly protected?: boolean;
}

/** What is wrong with what becomes of a manager's machine. */
export function replaceProblem({ host, protect, anew }: ManagerMachine, config: ReplaceManagerConfig): string | undefined {
  if (anew) {
    const lost = "what is on its disk is lost, and the swarm has one manager less meanwhile";
    return `The machine of the manager "${host}" is deleted and replaced: ${lost}. Fix: undo what makes it another machine, or disable the policy replace-manager for this update.`;
  }
  if (config.protected !== true || protect) return undefined;
  return `Pulumi does not protect the machine of the manager "${host}" from being replaced. Fix: set protect by "transforms" of the cluster, as docs/policy.md shows.`;
}

export function replaceManagerPolicy(): ResourceValidationPolicy & StackValidationPolicy {
  const noted = new Noted();
  const policy = {
    name: "replace-manager",
    description: "The machine of a manager is not replaced and, where that is asked for, cannot be.",
    configSchema: {
      properties: { protected: { type: "boolean", default: false, description: "Whether Pulumi must protect the machines of managers." } },
    },
  } satisfies Policy;
  return {
    ...policy,
    validateResource: (args) => noted.note(args),
    validateStack: (args, report) => {
      const config = configOf<ReplaceManagerConfig>(policy, args);
      for (const machine of managerMachines(args.resources, noted)) {
        const message = replaceProblem(machine, config);
        if (message !== undefined) report(message, machine.urn);
      }
    },
  };
}
