import { join } from "node:path";
import type { local } from "@pulumi/command";
import { log } from "@pulumi/pulumi";
import { describeVersioned, pathInState } from "./path";

/**
 * Files beside this one. States hold their paths, and a destroy runs what the state names: a file that is renamed or moved leaves clusters of
 * older versions without what undoes them.
 */
export type AgentProgram =
  "intent" | "nodes" | "swarm-up" | "swarm-down" | "network-up" | "network-down" | "gateway-up" | "gateway-down" | "hosts-up" | "hosts-down";

/** The path of one of our programs as Pulumi's state should hold it. */
export function agentPath(program: AgentProgram): string {
  const file = join(__dirname, `${program}.js`);
  // An inline program of the Automation API runs elsewhere than its provider does.
  const path = pathInState(file, { folder: process.cwd(), sharedWithPlugin: process.env["PULUMI_NODEJS_PROJECT"] !== undefined });
  warnOnce(describeVersioned(path, file));
  return path;
}

let warned = false;

/** All programs lie in one folder, so that one warning is enough. */
function warnOnce(warning: string | undefined): void {
  if (warning === undefined || warned) return;
  warned = true;
  void log.warn(warning);
}

/** Arguments of a resource that is one of our programs, with what undoes it, if anything does: no shell, request by standard input, progress on standard error. */
export function agentCommand(up: AgentProgram, down: AgentProgram | undefined, request: local.CommandArgs["stdin"]): local.CommandArgs {
  return {
    interpreter: ["node"],
    create: agentPath(up),
    ...(down !== undefined && { delete: agentPath(down) }),
    ...(request !== undefined && { stdin: request }),
    logging: "stderr",
  };
}
