import { argumentsDuring } from "../../../tools/lab/secrets";
import type { FaultCluster, Name } from "./cluster";
import { type Belongings, belongings, isAsProgrammed, noSecretIsSeen, nothingIsLost, opensAsPlanned, secrets } from "./oracle";
import { everybodyAnswers, forgetAnswers, longestGap, uptime } from "./probes";
import { Choices } from "./random";
import { type FaultCase, Trial } from "./trial";

/** A line of the table. */
export interface Outcome {
  readonly title: string;
  readonly seconds: number;
  readonly gap: string;
  readonly notes: string;
  readonly outcome: string;
}

/** Plays a case, and asks of what it left all that every case must leave. @returns what is told of it when it held */
export async function play(cluster: FaultCluster, fault: FaultCase, seed: number, tell: (outcome: Outcome) => void): Promise<void> {
  const notes: string[] = [];
  const trial = new Trial(cluster, new Choices(seed, fault.title), (what) => notes.push(what));
  const started = Date.now();
  let gap = "–";
  const line = (outcome: string): void =>
    tell({ title: fault.title, seconds: (Date.now() - started) / 1000, gap, notes: [...new Set(notes)].join(", "), outcome });
  const lap = (what: string): void =>
    void (process.env["FAULT_LAPS"] && process.stdout.write(`      ${((Date.now() - started) / 1000).toFixed(0)} s ${what}\n`));
  try {
    cluster.said = [];
    await forgetAnswers(cluster);
    const before = await belongings(cluster);
    const known = await secrets(cluster);
    const start = uptime();
    lap("begun");
    const { seen } = await argumentsDuring(async () => {
      try {
        await fault.play(trial);
      } finally {
        await trial.undo();
      }
    });
    lap("played");
    const outputs = await cluster.lab.outputs();
    await isAsProgrammed(cluster, outputs);
    lap("programmed");
    if (trial.everythingIsNew) await cluster.settle();
    await everybodyAnswers(cluster);
    lap("answers");
    const untouched = (name: Name): boolean => !trial.touched.has(name);
    if (!trial.everythingIsNew) {
      gap = await longestGap(cluster, start, untouched);
      nothingIsLost(stillWanted(before, cluster), await belongings(cluster), trial.excused);
    }
    lap("gaps");
    await opensAsPlanned(cluster, outputs, trial.choices.pick(cluster.members), trial.choices.pick(["tcp", "udp"]));
    lap("ports");
    await noSecretIsSeen(cluster, { ...prefixed("earlier: ", known), ...(await secrets(cluster)) }, Math.floor(started / 1000), seen);
    lap("secrets");
    line("held");
  } catch (error) {
    // At once: all of them take an hour, and what mocha tells of it comes at the end.
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stdout.write(`      ${fault.title}:\n${told}\n      what its runs said:\n${steps(cluster.said)}\n`);
    line(`FAILED: ${(error as Error).message.split("\n")[0]?.slice(0, 100)}`);
    throw error;
  }
}

/** A network that the program no longer names went with it. */
function stillWanted(before: Belongings, { program }: FaultCluster): Belongings {
  const gone = (what: string): boolean => what.startsWith("network ") && !program.networks.includes(what.slice("network ".length));
  return Object.fromEntries(Object.entries(before).filter(([what]) => !gone(what)));
}

function prefixed(prefix: string, all: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [prefix + name, value]));
}

/** Lines of the runs that tell what was done, without the outputs of the stack. */
function steps(said: readonly string[]): string {
  const lines = said.join("\n").split("\n");
  return lines.filter((line) => /^ *[~+-]* +command:local:Command|^ {4}[a-z]+-[a-e]: /.test(line)).join("\n");
}
