import { join } from "node:path";
import { root, Stack } from "../tools/lab/pulumi";
import { type Contender, ours, script, succeed } from "./contender";
import {
  bench,
  describeMachines,
  dockerOf,
  freshStack,
  type Machines,
  reachable,
  removeTarget,
  reset,
  startMachines,
  stopMachines,
} from "./machines";
import { benchOverlays } from "./overlay";
import { peers } from "./peers";

/*
 * What `pulumi up` costs against the same work by hand, all in one run on one machine, so that only ratios matter.
 * Hosts stand and run Docker before the clock starts; it stops when a container on the first host has reached one on
 * the last by name. All of it, or the parts that are named: npm run bench -- up-3 up-10
 */

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(what: string, ours: number, theirs: number, against: string): void {
  process.stdout.write(
    `${what.padEnd(44)} ${ours.toFixed(1).padStart(6)} s ${theirs.toFixed(1).padStart(6)} s ${(ours / theirs).toFixed(2).padStart(6)}×  ${against}\n`,
  );
}

/** How many resources of each kind a preview shows. */
interface Counts {
  readonly components: number;
  readonly commands: number;
  readonly stashes: number;
}

async function countResources(stack: Stack): Promise<Counts> {
  const { steps } = JSON.parse(await succeed(stack.preview("--json"))) as { steps: { newState?: { type: string; custom?: boolean } }[] };
  const kinds = steps.flatMap(({ newState }) => newState ?? []);
  return {
    components: kinds.filter(({ type, custom }) => !custom && type !== "pulumi:pulumi:Stack").length - 1,
    commands: kinds.filter(({ type }) => type === "command:local:Command").length,
    stashes: kinds.filter(({ type }) => type === "pulumi:index:Stash").length,
  };
}

/** A program with as many resources of each kind, and nothing else. */
async function bare(name: string, counts: Counts): Promise<Stack> {
  const stack = new Stack(name, join(root, "bench", "bare"));
  await stack.cancel();
  await stack.pulumi(["stack", "rm", "--yes", "--force"]);
  await stack.init();
  await stack.setConfig(Object.fromEntries(Object.entries(counts).map(([kind, count]) => [`bare:${kind}`, String(count)])));
  return stack;
}

interface Measured extends Contender {
  /** Seconds of each round. */
  readonly taken: { readonly first: number[]; readonly again: number[]; readonly edit: number[]; readonly undo: number[] };
  /** Of the first, until the command itself returned. */
  readonly returned: number[];
}

const measured = (contender: Contender): Measured => ({ ...contender, taken: { first: [], again: [], edit: [], undo: [] }, returned: [] });

/** From prepared hosts to prepared hosts. */
async function round({ first, again, edit, undo, taken, returned }: Measured, machines: Machines): Promise<void> {
  returned.push(await seconds(() => succeed(first())));
  taken.first.push((returned.at(-1) ?? NaN) + (await seconds(() => reachable(machines))));
  taken.again.push(await seconds(() => succeed(again())));
  if (edit) taken.edit.push(await seconds(() => succeed(edit())));
  await removeTarget(machines);
  taken.undo.push(await seconds(() => succeed(undo())));
  await reset(machines);
}

async function benchUp(count: number): Promise<void> {
  const machines = await startMachines(count);
  const stack = new Stack(bench, join(root, "bench", "existing"));
  await freshStack(stack);
  await describeMachines(stack, machines);
  const floor = await bare(`${bench}-floor`, await countResources(stack));
  try {
    const [own, byHand] = [measured(await ours(stack)), measured(await script(machines))];
    const found = await peers(machines);
    const others = found.flatMap((peer) => ("absent" in peer ? [] : [measured(peer)]));
    const failed = new Map<Measured, string>();
    const floors: number[] = [];
    for (let number = 0; number < rounds; number++) {
      for (const contender of [byHand, own]) await round(contender, machines);
      // A peer that fails does not cost the others their numbers.
      for (const peer of others.filter((other) => !failed.has(other)))
        await round(peer, machines).catch(async (error: Error) => {
          failed.set(peer, /^.*(?:error|fatal).*$/im.exec(error.message)?.[0] ?? error.message);
          await reset(machines);
        });
      floors.push(await seconds(() => succeed(floor.up())));
      await succeed(floor.destroy());
    }
    process.stdout.write(`${count} hosts with Docker ${await dockerOf(machines)}; ours: ${own.version}\n`);
    printUp(count, own, [byHand, ...others.filter((other) => !failed.has(other))], median(floors));
    for (const peer of found) if ("absent" in peer) process.stdout.write(`${peer.name}: ${peer.absent}\n`);
    for (const [{ name, version }, error] of failed) process.stdout.write(`${name} (${version}) failed: ${error}\n`);
  } finally {
    machines.shell.close();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await floor.pulumi(["stack", "rm", "--yes", "--force"]);
    await stopMachines();
  }
}

function printUp(count: number, own: Measured, others: readonly Measured[], engine: number): void {
  const compare = (what: string, step: keyof Measured["taken"], aim = ""): void => {
    for (const { name, version, taken } of others)
      if (taken[step].length > 0) row(`${what}, ${count} hosts`, median(own.taken[step]), median(taken[step]), `${name} (${version})${aim}`);
  };
  compare("first reply by name", "first");
  const [mine, byHand] = [median(own.taken.first), median(others[0]?.taken.first ?? [])];
  row(`  … less the engine's own floor (${engine.toFixed(1)} s)`, mine - engine, byHand, `${others[0]?.name}; aim: at most 1.2×`);
  compare("nothing to do", "again");
  compare("edit of one rule", "edit", "; aim: below 3 s");
  compare("destroy", "undo");
  // A median hides a round that met something else.
  process.stdout.write(`first reply by name of each round, ${count} hosts, and when the command had returned:\n`);
  for (const { name, taken, returned } of [own, ...others])
    process.stdout.write(`  ${name}: ${taken.first.map((all, index) => `${all.toFixed(1)} s (${returned[index]?.toFixed(1)})`).join(", ")}\n`);
}

async function benchPreview(count: number): Promise<void> {
  const stack = new Stack(bench, join(root, "bench", "existing"));
  await freshStack(stack);
  await describeMachines(stack, {
    addresses: Array.from({ length: count }, (_, index) => `10.${221 + Math.floor(index / 250)}.2.${(index % 250) + 1}`),
  });
  const floor = await bare(`${bench}-floor`, await countResources(stack));
  const [mine, theirs]: number[][] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const pair = [await seconds(() => succeed(stack.preview())), await seconds(() => succeed(floor.preview()))];
    // The first round warms the caches.
    if (round > 0) {
      mine?.push(pair[0] ?? 0);
      theirs?.push(pair[1] ?? 0);
    }
  }
  row(`preview, ${count} hosts`, median(mine ?? []), median(theirs ?? []), "bare program with as many resources; aim: 1.2×");
  await stack.pulumi(["stack", "rm", "--yes", "--force"]);
  await floor.pulumi(["stack", "rm", "--yes", "--force"]);
}

async function main(): Promise<void> {
  await stopMachines();
  process.stdout.write(
    `${"medians of".padEnd(10)} ${rounds} rounds${" ".repeat(25)} ${"ours".padStart(8)} ${"theirs".padStart(8)} ${"ratio".padStart(7)}\n`,
  );
  const parts: Readonly<Record<string, () => Promise<void>>> = {
    preview: () => benchPreview(30),
    "preview-1000": () => benchPreview(1000),
    "up-3": () => benchUp(3),
    "up-10": () => benchUp(10),
    overlays: benchOverlays,
  };
  const asked = process.argv.slice(2);
  for (const [name, part] of Object.entries(parts)) if (asked.length === 0 || asked.includes(name)) await part();
}

main().catch(async (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  await stopMachines();
  process.exitCode = 1;
});
