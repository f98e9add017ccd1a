import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { mermaid } from "../picture/mermaid";
import { type Drawable, drawablesIn, Undrawable } from "../review/drawable";
import { svg } from "../picture/svg";
import { asUsage, type Terminal, unusable, UsageError, type Verb } from "./verb";

const formats = { svg, mermaid } as const;
type Format = keyof typeof formats;

const usage = `Usage: pulumi-swarm graph [FILE | -] [options]

Draws the cluster that is, or will be: who may connect, the hosts and their sites, what joins them, the networks, what is encrypted.
FILE, or standard input, is what one of these prints:
  pulumi preview --json --show-sames    what is new is green, what changes yellow, what goes red
  pulumi stack export                   the cluster as it is

  --format svg|mermaid  a picture, or a diagram for Markdown (svg)
  --out FILE            where to write it (standard output)
  --cluster NAME        which one, where there are several

Exit codes: 0 drawn; 1 called wrongly, or nothing that could be drawn.
`;

interface Options {
  readonly format: Format;
  readonly file: string;
  readonly out: string | undefined;
  readonly cluster: string | undefined;
}

export const graph: Verb = {
  summary: "draw the cluster of a preview or of a state",
  usage,
  run: async (args, terminal) => {
    const options = optionsOf(args);
    try {
      const { after, before, machines } = chosen(drawablesIn(await textOf(options.file, terminal)), options.cluster);
      write(formats[options.format](after, before, machines), options.out, terminal);
      return 0;
    } catch (error) {
      if (!(error instanceof Undrawable)) throw error;
      terminal.error(`pulumi-swarm graph: ${error.message}\n`);
      return unusable;
    }
  },
};

function optionsOf(args: readonly string[]): Options {
  const { values, positionals } = asUsage(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { format: { type: "string" }, out: { type: "string" }, cluster: { type: "string" } },
    }),
  );
  const { format = "svg", out, cluster } = values;
  if (!isFormat(format)) throw new UsageError(`there is no format ${JSON.stringify(format)}; there are ${Object.keys(formats).join(", ")}`);
  if (positionals.length > 1) throw new UsageError(`one file at a time: ${positionals.map((file) => JSON.stringify(file)).join(", ")} are given`);
  return { format, file: positionals[0] ?? "-", out, cluster };
}

function isFormat(name: string): name is Format {
  return Object.hasOwn(formats, name);
}

async function textOf(file: string, terminal: Terminal): Promise<string> {
  if (file !== "-") {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      throw new Undrawable(`${JSON.stringify(file)} cannot be read: ${reason(error)}. Fix: name what pulumi printed`);
    }
  }
  if (terminal.inputIsTty) throw new UsageError("nothing to draw is given: name a file, or pipe one in");
  return terminal.input();
}

function chosen(all: readonly Drawable[], wanted: string | undefined): Drawable {
  const names = all.map(({ after }) => JSON.stringify(after.cluster)).join(", ");
  if (all.length === 0) throw new Undrawable("There is no cluster of pulumi-swarm in it. Fix: name the stack that has one");
  const found = wanted === undefined ? all : all.filter(({ after }) => after.cluster === wanted);
  const [only, ...others] = found;
  if (only === undefined) throw new Undrawable(`There is no cluster ${JSON.stringify(wanted)}. Fix: --cluster with one of ${names}`);
  if (others.length > 0) throw new Undrawable(`There are several clusters. Fix: choose one by --cluster: ${names}`);
  return only;
}

function write(text: string, out: string | undefined, terminal: Terminal): void {
  if (out === undefined) return terminal.out(text);
  try {
    writeFileSync(out, text);
  } catch (error) {
    throw new Undrawable(`${JSON.stringify(out)} cannot be written: ${reason(error)}. Fix: name a file in a folder that is there`);
  }
}

/** Node's message without the path, which is said already. */
function reason(error: unknown): string {
  return (error as Error).message.replace(/,? (open|read|write)\b.*$/, "");
}
