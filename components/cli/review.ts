import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type ReadPreview, readPreview, UnreadablePreview } from "../review/read";
import { json } from "../review/render/json";
import { markdown } from "../review/render/markdown";
import { plain } from "../review/render/plain";
import { type Review, review as reviewOf } from "../review/review";
import { isRisk, type Risk, riskNames, risks } from "../review/risks";
import { runPreview } from "../review/run";
import { asUsage, type Terminal, unusable, UsageError, type Verb } from "./verb";

const formats = ["plain", "markdown", "json"] as const;
type Format = (typeof formats)[number];

/** Of a risk that --fail-on names, and of a preview that failed by itself. */
const [found, failed] = [2, 3];

const width = Math.max(...riskNames.map(({ length }) => length));

const usage = `Usage: pulumi-swarm review [FILE | -] [options]
       pulumi-swarm review --run [options] [-- options of pulumi preview]

Says what the edit that was previewed means for the cluster. The preview is what
  pulumi preview --json --show-sames
prints: in FILE, or by standard input; with --run it is made now.

  --format plain|markdown|json  how to say it (plain)
  --title TEXT                  heading of the Markdown (pulumi-swarm review)
  --fail-on RISK,…              exit code 2 where one of these is found
  --run                         run pulumi preview here

Risks:
${riskNames.map((name) => `  ${name.padEnd(width)}  ${risks[name]}\n`).join("")}
Exit codes: 0 reviewed; 1 called wrongly, or no preview that could be read; 2 a risk of --fail-on; 3 the preview itself failed.
`;

interface Options {
  readonly format: Format;
  readonly title: string;
  readonly failOn: readonly Risk[];
  readonly source: { readonly run: readonly string[] } | { readonly file: string };
}

export const review: Verb = {
  summary: "say what a preview means for the cluster",
  usage,
  run: async (args, terminal) => {
    const options = optionsOf(args);
    try {
      const preview = await previewOf(options.source, terminal);
      if (preview.leftOut > 0 && preview.errors.length === 0 && options.failOn.length > 0) {
        throw new UnreadablePreview(
          `The preview leaves out ${preview.leftOut} resources that stay as they are, so --fail-on cannot be judged. Fix: preview with --show-sames`,
        );
      }
      const result = reviewOf(preview);
      terminal.out(rendered(result, options, terminal));
      if (result.errors.length > 0) return failed;
      return options.failOn.some((risk) => result.risks[risk] !== undefined) ? found : 0;
    } catch (error) {
      if (!(error instanceof UnreadablePreview)) throw error;
      terminal.error(`pulumi-swarm review: ${error.message}\n`);
      return unusable;
    }
  },
};

function optionsOf(args: readonly string[]): Options {
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const passed = args.slice(own.length + 1);
  const { values, positionals } = asUsage(() =>
    parseArgs({
      args: [...own],
      allowPositionals: true,
      options: {
        format: { type: "string" },
        title: { type: "string" },
        "fail-on": { type: "string", multiple: true },
        run: { type: "boolean" },
      },
    }),
  );
  return {
    format: formatOf(values.format),
    title: values.title ?? "pulumi-swarm review",
    failOn: risksOf(values["fail-on"] ?? []),
    source: sourceOf(values.run === true, positionals, own.length < args.length ? passed : undefined),
  };
}

function formatOf(given = "plain"): Format {
  const format = formats.find((known) => known === given);
  if (format === undefined) throw new UsageError(`there is no format ${JSON.stringify(given)}; there are ${formats.join(", ")}`);
  return format;
}

function risksOf(given: readonly string[]): Risk[] {
  return given
    .flatMap((names) => names.split(","))
    .map((name) => name.trim())
    .map((name) => {
      if (!isRisk(name)) throw new UsageError(`--fail-on knows no risk ${JSON.stringify(name)}; there are ${riskNames.join(", ")}`);
      return name;
    });
}

function sourceOf(run: boolean, files: readonly string[], passed: readonly string[] | undefined): Options["source"] {
  if (run && files.length > 0) throw new UsageError(`--run makes the preview, and a file ${JSON.stringify(files[0])} is given too; keep one of them`);
  if (!run && passed !== undefined) throw new UsageError("what comes after -- is for pulumi preview, which only --run runs");
  if (files.length > 1) throw new UsageError(`one preview at a time: ${files.map((file) => JSON.stringify(file)).join(", ")} are given`);
  return run ? { run: passed ?? [] } : { file: files[0] ?? "-" };
}

async function previewOf(source: Options["source"], terminal: Terminal): Promise<ReadPreview> {
  if ("run" in source) return previewNow(source.run);
  if (source.file !== "-") return readPreview(textOf(source.file));
  if (terminal.inputIsTty) throw new UsageError("no preview is given: name a file, pipe one in, or use --run");
  return readPreview(await terminal.input());
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UnreadablePreview(`${JSON.stringify(file)} cannot be read: ${(error as Error).message.replace(/,? open .*$|, read$/, "")}`);
  }
}

async function previewNow(args: readonly string[]): Promise<ReadPreview> {
  const { stdout, code } = await runPreview(args).catch((error: Error) => {
    throw new UnreadablePreview(`pulumi cannot be run: ${error.message}. Fix: put the Pulumi CLI on the PATH, or review a file`);
  });
  if (stdout.trim() === "") throw new UnreadablePreview(`pulumi preview printed nothing and ended with code ${code}; what it said is above`);
  const preview = readPreview(stdout);
  // An engine that fails without a word of it in the JSON has said it on standard error.
  return code === 0 || preview.errors.length > 0 ? preview : { ...preview, errors: [`pulumi preview ended with code ${code}`] };
}

function rendered(result: Review, { format, title }: Options, terminal: Terminal): string {
  switch (format) {
    case "plain":
      return plain(result, { color: terminal.outIsTty });
    case "markdown":
      return markdown(result, title);
    case "json":
      return json(result);
  }
}
