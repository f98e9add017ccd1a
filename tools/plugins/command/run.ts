import { StringDecoder } from "node:string_decoder";
import type { Context } from "../shared/plugin";
import { flag, text, textTable } from "../shared/properties";
import type { Props } from "../shared/values";

export interface Outputs {
  readonly stdout: string;
  readonly stderr: string;
}

/** What one run ended with; `failure` in the words of the real plugin, for example "exit status 3". */
export interface Ending {
  readonly failure?: string;
}

/** Runs one command line somewhere, handing on what it writes. */
export type Runner = (command: string, inputs: Props, previous: Record<string, string>, output: OutputCollector, context: Context) => Promise<Ending>;

export const BASE_INPUTS = ["create", "update", "delete", "triggers", "environment", "stdin", "logging", "addPreviousOutputInEnv"] as const;

const LOGGING = { none: [], stdout: ["stdout"], stderr: ["stderr"], stdoutAndStderr: ["stdout", "stderr"] } as const;

type Stream = "stdout" | "stderr";

/** Runs the command and gives its outputs; `before` holds the outputs of the run before, which a command finds in its environment. */
export async function runCommand(runner: Runner, command: string, inputs: Props, before: Props, context: Context): Promise<Outputs> {
  const logged = loggedStreams(text(inputs, "logging"));
  const output = new OutputCollector((stream, line) => {
    // Passing, whatever the line and the stream, also while something is deleted (pulumi-command, provider/pkg/provider/util/util.go: LogOutput):
    // a terminal shows it beside the resource while the command runs, and the summary at the end has none of it.
    if (logged.includes(stream)) context.status(line);
  });
  const ending = await runner(command, inputs, previousOutputs(inputs, before), output, context);
  output.end();
  if (ending.failure !== undefined) {
    throw new Error(`${ending.failure}: running ${JSON.stringify(command)}:\n${output.both}`);
  }
  return { stdout: withoutLastNewline(output.stdout), stderr: withoutLastNewline(output.stderr) };
}

function previousOutputs(inputs: Props, before: Props): Record<string, string> {
  if (flag(inputs, "addPreviousOutputInEnv") === false) return {};
  const previous = { PULUMI_COMMAND_STDOUT: text(before, "stdout") ?? "", PULUMI_COMMAND_STDERR: text(before, "stderr") ?? "" };
  return Object.fromEntries(Object.entries(previous).filter(([, value]) => value !== ""));
}

/** The environment given by the program. */
export function givenEnvironment(inputs: Props): Record<string, string> {
  return textTable(inputs, "environment") ?? {};
}

function loggedStreams(logging: string | undefined): readonly Stream[] {
  const streams = LOGGING[(logging ?? "stdoutAndStderr") as keyof typeof LOGGING];
  if (streams === undefined) throw new Error(`logging: expected one of ${Object.keys(LOGGING).join(", ")}, got "${logging}"`);
  return streams;
}

function withoutLastNewline(value: string): string {
  return value.endsWith("\n") ? value.slice(0, -1) : value;
}

/** Keeps what a command writes, and passes each finished line on while the command still runs. */
export class OutputCollector {
  stdout = "";
  stderr = "";
  both = "";
  private readonly decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  private readonly unfinished = { stdout: "", stderr: "" };

  constructor(private readonly onLine: (stream: Stream, line: string) => void) {}

  add(stream: Stream, data: Buffer): void {
    this.addText(stream, this.decoders[stream].write(data));
  }

  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      this.addText(stream, this.decoders[stream].end());
      if (this.unfinished[stream] !== "") this.onLine(stream, this.unfinished[stream]);
      this.unfinished[stream] = "";
    }
  }

  private addText(stream: Stream, value: string): void {
    this[stream] += value;
    this.both += value;
    const lines = (this.unfinished[stream] + value).split("\n");
    this.unfinished[stream] = lines.pop() ?? "";
    for (const line of lines) this.onLine(stream, line);
  }
}
