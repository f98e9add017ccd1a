import * as pulumi from "@pulumi/pulumi";
import type { AgentProgram } from "./program";
import type { Warned } from "./warnings";

/**
 * What one of our programs printed, as Pulumi's state has it.
 *
 * @throws RunError where it is no answer of it, as a disk that was full leaves it.
 */
export function answerOf<Answer>(stdout: string, program: AgentProgram): Answer {
  try {
    return JSON.parse(stdout) as Answer;
  } catch {
    const what = stdout.trim() === "" ? "is empty" : "is cut off, or is not its own";
    throw new pulumi.RunError(
      `The answer of ${program} in Pulumi's state ${what}: a disk may have been full while it ran, or a transform changed the command. ` +
        'Fix: see that there is room, set membership.recheck (of a piece: recheck) to a new text, and run "pulumi up" again.',
    );
  }
}

/** The warnings of a run that ended after `since`. Those of an earlier one were told when it ran, and are still in the state. */
export function freshWarnings(stdout: string | undefined, since: number): readonly string[] {
  try {
    const { warnings } = JSON.parse(stdout ?? "{}") as Warned;
    return warnings && warnings.at >= since ? warnings.lines : [];
  } catch {
    // Whoever needs the answer says that it cannot be read.
    return [];
  }
}

/** Logs the warnings of this `up`, once. To be called when the resources are declared: what ran before that is not told again. */
export function logWarnings(stdout: pulumi.Output<string>, resource: pulumi.Resource): void {
  const since = Date.now();
  stdout.apply(async (said) => {
    for (const line of freshWarnings(said, since)) await pulumi.log.warn(line, resource);
  });
}
