import { text } from "node:stream/consumers";
import { note, startedAt, traced, writeTrace } from "../trace";
import { describeFailures, type FailedHost, Progress } from "./progress";
import { warningsOf } from "./warnings";

const shown = new Progress((line) => process.stderr.write(line));

/** Progress for a person, on standard error; Pulumi shows it beside the resource. */
export function progress(host: string | undefined, line: string): void {
  shown.say(host, line);
}

/**
 * Runs one of our programs: the request comes by standard input, what the resource printed last time by the
 * environment, the response goes out as one line of JSON, with the warnings in it. An error is a message for the user, never a stack.
 */
export async function runAgent<Request, Previous>(work: (request: Request, previous: Previous | undefined) => Promise<object>): Promise<void> {
  try {
    note("phase", "load", undefined, startedAt);
    const request = parse<Request>(await text(process.stdin), "what this program was asked");
    const previous = process.env["PULUMI_COMMAND_STDOUT"];
    const response = await work(request, previous ? parse<Previous>(previous, "what Pulumi's state has of the last run") : undefined);
    endTrace();
    process.stdout.write(`${JSON.stringify({ ...response, ...warningsOf(shown.warnings, Date.now()) })}\n`, () => process.exit(0));
  } catch (error) {
    // Pulumi logs each line on standard error while a run goes on, and repeats in its error what came by either way.
    await sleep(20);
    endTrace();
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`, () => process.exit(1));
  }
}

function parse<Value>(json: string, what: string): Value {
  try {
    return JSON.parse(json) as Value;
  } catch {
    throw new Error(
      `${what} is cut off: ${Buffer.byteLength(json)} bytes that are no JSON. Nothing was changed. Fix: see that no disk of this machine is full, and run again`,
    );
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
  return traced("pause", "wait", undefined, () => new Promise((resolve) => setTimeout(resolve, milliseconds)));
}

function endTrace(): void {
  note("program", "run", undefined, startedAt);
  writeTrace();
}
