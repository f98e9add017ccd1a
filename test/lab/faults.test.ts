import { needTools } from "../../tools/lab/namespace";
import { cases } from "./faults";
import { FaultCluster } from "./faults/cluster";
import { type Outcome, play } from "./faults/play";
import { Choices } from "./faults/random";

/** Printed, so that `FAULT_SEED=…` plays the same again: the order, the hosts and what the user decides. */
const seed = Number(process.env["FAULT_SEED"] ?? Math.floor(Math.random() * 1_000_000));
/** The quick ones, or by `npm run test:faults` all. */
const all = process.env["FAULTS"] === "all";
const chosen = new Choices(seed, "order").shuffled(cases.filter(({ quick }) => all || quick));

/** One standing cluster, to which things happen; what each case leaves is what the next one begins with. */
describe(`a cluster through ${chosen.length} faults (seed ${seed})`, function () {
  this.timeout(1_200_000);
  const cluster = new FaultCluster();
  const outcomes: Outcome[] = [];
  /** Whether the last case left the cluster as it should be. */
  let whole = false;

  before(function () {
    needTools(this, "nsenter", "nmap", "nft");
  });
  after(async () => {
    await cluster.end();
    process.stdout.write(table(outcomes));
  });

  for (const fault of chosen) {
    it(`holds its promises after ${fault.title}`, async () => {
      if (!whole) await cluster.build();
      whole = false;
      await play(cluster, fault, seed, (outcome) => outcomes.push(outcome));
      whole = true;
    });
  }
});

function table(outcomes: readonly Outcome[]): string {
  const lines = outcomes.map(({ title, seconds, gap, notes, outcome }) => [title, `${seconds.toFixed(0)} s`, gap, notes, outcome]);
  const rows = [["case", "took", "longest gap", "what was chosen", "outcome"], ...lines];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const text = rows.map((row) => `    ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd()).join("\n");
  return `\n    seed ${seed}\n${text}\n`;
}
