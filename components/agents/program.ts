import { isAbsolute, join, relative } from "node:path";
import { local } from "@pulumi/command";

export type AgentProgram = "intent" | "nodes" | "swarm-up" | "swarm-down" | "network-up" | "network-down" | "hosts-up" | "hosts-down";

/**
 * The path of one of our programs as Pulumi's state should hold it: relative to where the provider runs it, so that
 * a checkout on another machine, such as CI, shows no difference.
 */
export function agentPath(program: AgentProgram): string {
  const file = join(__dirname, `${program}.js`);
  const path = relative(process.cwd(), file);
  // An inline program of the Automation API runs elsewhere than its provider does.
  return process.env["PULUMI_NODEJS_PROJECT"] === undefined && isAbsolute(file) && path.startsWith("..") ? file : path;
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
