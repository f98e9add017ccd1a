import { createHash } from "node:crypto";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type Transform, transformed } from "../transform";
import { answerOf } from "./answer";
import { agentCommand, type AgentProgram } from "./program";
import type { Intent } from "./request";

interface Work<Request> {
  readonly up: AgentProgram;
  readonly down: AgentProgram;
  /** In JSON. */
  readonly request: pulumi.Output<string>;
  /** Of it, what `down` needs. */
  readonly downRequest: (request: Request) => object;
}

interface Transforms {
  readonly work: Transform<local.CommandArgs> | undefined;
  readonly intent: Transform<local.CommandArgs> | undefined;
}

/**
 * Work on hosts as two resources. Pulumi forgets a resource whose creation failed, and takes an edit that failed and was then taken
 * back for no change at all. So the first, the intent, says what is about to be asked; it touches no host and cannot fail, its
 * deletion is what undoes the work, and it counts. The second does the work, and is told the count.
 *
 * @returns the second.
 */
export function intendedCommand<Request extends object>(
  name: string,
  { up, down, request, downRequest }: Work<Request>,
  transforms: Transforms,
  { parent, dependsOn }: { readonly parent: pulumi.Resource; readonly dependsOn: readonly pulumi.Resource[] },
): local.Command {
  const options = { parent, additionalSecretOutputs: ["stdout" as const] };
  const asked = request.apply((text) => {
    // Of the whole: whatever is asked for otherwise must count.
    const digest = createHash("sha256").update(text).digest("hex");
    return JSON.stringify({ ...downRequest(JSON.parse(text) as Request), digest });
  });
  const intent = new local.Command(`${name}-intent`, transformed(transforms.intent, agentCommand("intent", down, asked)), {
    ...options,
    dependsOn: [...dependsOn],
  });
  const intended = pulumi.all([request, intent.stdout]).apply(([text, said]) => {
    return JSON.stringify({ ...(JSON.parse(text) as Request), intent: answerOf<Intent>(said, "intent") });
  });
  return new local.Command(name, transformed(transforms.work, agentCommand(up, undefined, pulumi.secret(intended))), {
    ...options,
    dependsOn: [...dependsOn, intent],
  });
}
