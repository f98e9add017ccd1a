import { text } from "node:stream/consumers";
import { describeFailures, type FailedHost, Progress } from "./progress";

const shown = new Progress((line) => process.stderr.write(line));

/** Progress for a person, on standard error; Pulumi shows it beside the resource. */
export function progress(host: string | undefined, line: string): void {
  shown.say(host, line);
}

/**
 * Runs one of our programs: the request comes by standard input, what the resource printed last time by the
 * environment, the response goes out as one line of JSON. An error is a message for the user, never a stack.
 */
export async function runAgent<Request, Previous>(work: (request: Request, previous: Previous | undefined) => Promise<object>): Promise<void> {
  try {
    const request = JSON.parse(await text(process.stdin)) as Request;
    const previous = process.env["PULUMI_COMMAND_STDOUT"];
    const response = await work(request, previous ? (JSON.parse(previous) as Previous) : undefined);
    process.stdout.write(`${JSON.stringify(response)}\n`, () => process.exit(0));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () => process.exit(1));
  }
}

/** Several things went wrong on several hosts of those that were asked for: one message, a line each. */
export function reportFailures(hosts: readonly { readonly key: string }[], failures: readonly FailedHost[]): void {
  if (failures.length === 0) return;
  throw new Error(
    describeFailures(
      hosts.map(({ key }) => key),
      failures,
    ),
  );
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
