import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Pace } from "../agents/pace";
import { kinds } from "../status/findings";
import { json } from "../status/render/json";
import { plain } from "../status/render/plain";
import { exitCodes, failsOn, groups, type Report, reportOf } from "../status/report";
import { targetOfConnections } from "../status/source/connections";
import { exportStack } from "../status/source/pulumi";
import { targetsIn } from "../status/source/state";
import { NoTarget, type Target } from "../status/source/target";
import { chosen, refuseConnectionAsText, textOf } from "./target";
import { asUsage, type Terminal, UsageError, type Verb } from "./verb";

const formats = ["plain", "json"] as const;
type Format = (typeof formats)[number];

const [defaultTimeout, defaultEvery] = [10, 10];

const words = { ...groups, ...kinds };
const width = Math.max(...Object.keys(words).map(({ length }) => length));

const usage = `Usage: pulumi-swarm status [options]
       pulumi-swarm status FILE | - [options]
       pulumi-swarm status --connection FILE | - [options]

Looks at all hosts of a cluster over SSH, and says how it is and what to do first. It changes nothing on them.
How to reach them it learns from the stack: in the program's folder it runs "pulumi stack export --show-secrets" and reads what that
prints by a pipe. FILE, or standard input, is what this printed elsewhere.

  --stack NAME             the stack (the one that is selected)
  --cluster NAME           which cluster, where the stack has several
  --connection FILE        without a stack: the cluster's output "connections" in JSON, or one connection to a manager
  --format plain|json      how to say it (plain)
  --timeout SECONDS        how long a host may take to answer (${defaultTimeout})
  --watch                  look again and again, until you press Ctrl-C
  --every SECONDS          pause between two looks of --watch (${defaultEvery})
  --fail-on WORD,…         exit code 2 where one of these is found, 0 where none is, 3 where a host could not be looked at

Words for --fail-on:
${Object.entries(words)
  .map(([word, says]) => `  ${word.padEnd(width)}  ${says}\n`)
  .join("")}
Exit codes, as monitoring systems have them: 0 fine; 1 warning; 2 broken; 3 unknown, or called wrongly.
`;

interface Options {
  readonly source: { readonly stack: string | undefined } | { readonly state: string } | { readonly connection: string };
  readonly cluster: string | undefined;
  readonly format: Format;
  readonly timeout: number;
  readonly watch: boolean;
  readonly every: number;
  readonly failOn: readonly string[] | undefined;
}

export const status: Verb = {
  summary: "say how a cluster is, and what to do first",
  usage,
  unusable: exitCodes.unknown,
  run: async (args, terminal) => {
    const options = optionsOf(args);
    try {
      const target = await targetOf(options, terminal);
      for (;;) {
        const report = await look(target, options, terminal);
        terminal.out(rendered(report, options, terminal));
        if (!options.watch) return options.failOn ? failsOn(options.failOn, report) : exitCodes[report.state];
        await sleep(options.every * 1000);
      }
    } catch (error) {
      if (!(error instanceof NoTarget)) throw error;
      terminal.error(`pulumi-swarm status: ${error.message}\n`);
      return exitCodes.unknown;
    }
  },
};

async function look(target: Target, { timeout }: Options, terminal: Terminal): Promise<Report> {
  // SSH's libraries take 0.2 s to load, which the other verbs do not need.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { lookAtCluster } = require("../status/cluster") as typeof import("../status/cluster");
  const pace = new Pace((line) => terminal.error(`${line}\n`));
  return reportOf(await lookAtCluster(target, { reachableSeconds: timeout, io: { waiting: (...of) => pace.wait(...of) } }));
}

function rendered(report: Report, { format, watch }: Options, terminal: Terminal): string {
  if (format === "json") return json(report);
  const text = plain(report, { color: terminal.outIsTty });
  // From the top of an empty screen, where there is one.
  return watch && terminal.outIsTty ? `\u001b[2J\u001b[H${text}` : watch ? `${text}\n` : text;
}

async function targetOf({ source, cluster }: Options, terminal: Terminal): Promise<Target> {
  if ("connection" in source) return targetOfConnections(await textOf(source.connection, terminal), "its connections");
  if ("state" in source) return chosen(targetsIn(await textOf(source.state, terminal), "an exported state"), cluster);
  return chosen(targetsIn(await exportStack(source.stack), source.stack === undefined ? "the selected stack" : `the stack ${source.stack}`), cluster);
}

function optionsOf(args: readonly string[]): Options {
  const { values, positionals } = asUsage(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        stack: { type: "string" },
        cluster: { type: "string" },
        connection: { type: "string" },
        format: { type: "string" },
        timeout: { type: "string" },
        watch: { type: "boolean" },
        every: { type: "string" },
        "fail-on": { type: "string", multiple: true },
      },
    }),
  );
  const { stack, cluster, connection, format = "plain", timeout, watch = false, every } = values;
  if (every !== undefined && !watch) throw new UsageError("--every is the pause of --watch, which is not given");
  return {
    source: sourceOf(positionals, stack, connection),
    cluster,
    format: formatOf(format),
    timeout: secondsOf("--timeout", timeout, defaultTimeout),
    watch,
    every: secondsOf("--every", every, defaultEvery),
    failOn: values["fail-on"] && wordsOf(values["fail-on"]),
  };
}

function sourceOf(files: readonly string[], stack: string | undefined, connection: string | undefined): Options["source"] {
  const [file, ...more] = files;
  if (more.length > 0) throw new UsageError(`one state at a time: ${files.map((each) => JSON.stringify(each)).join(", ")} are given`);
  const given = [file === undefined ? [] : "a file", stack === undefined ? [] : "--stack", connection === undefined ? [] : "--connection"].flat();
  if (given.length > 1) throw new UsageError(`${given.join(" and ")} both say where the hosts are; keep one of them`);
  refuseConnectionAsText(connection);
  if (connection !== undefined) return { connection };
  return file === undefined ? { stack } : { state: file };
}

function formatOf(given: string): Format {
  const format = formats.find((known) => known === given);
  if (format === undefined) throw new UsageError(`there is no format ${JSON.stringify(given)}; there are ${formats.join(", ")}`);
  return format;
}

function secondsOf(option: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  const seconds = Number(given);
  if (!(seconds >= 1 && seconds <= 3600)) throw new UsageError(`${option} is a number of seconds from 1 to 3600, not ${JSON.stringify(given)}`);
  return seconds;
}

function wordsOf(given: readonly string[]): string[] {
  return given
    .flatMap((each) => each.split(","))
    .map((word) => word.trim())
    .map((word) => {
      if (!Object.hasOwn(words, word))
        throw new UsageError(`--fail-on does not know ${JSON.stringify(word)}; there are ${Object.keys(words).join(", ")}`);
      return word;
    });
}
