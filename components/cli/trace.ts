import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { traceVariable } from "../trace";
import { readTrace, traceTable } from "../trace/table";
import { asUsage, type Terminal, unusable, UsageError, type Verb } from "./verb";

const usage = `Usage: pulumi-swarm trace FILE

Shows where the time of an up or a destroy went. FILE is what this wrote:

  ${traceVariable}=FILE pulumi up

Each program that works on hosts is listed with what it did, in the order in which that began: when, for how long, and on how many
hosts. All times are in seconds. Perfetto (https://ui.perfetto.dev) opens the same file as a picture.

Exit codes: 0 shown; 1 called wrongly, or the file cannot be read.
`;

export const trace: Verb = {
  summary: "show where the time of an up went",
  usage,
  run: (args: readonly string[], terminal: Terminal) => {
    const { positionals } = asUsage(() => parseArgs({ args: [...args], allowPositionals: true, options: {} }));
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) throw new UsageError("it takes one file");
    try {
      terminal.out(traceTable(readTrace(readFileSync(file, "utf8"))));
      return Promise.resolve(0);
    } catch (error) {
      terminal.error(`pulumi-swarm trace: ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.\n`);
      return Promise.resolve(unusable);
    }
  },
};
