import { join } from "node:path";
import { root, run, Stack } from "../tools/lab/pulumi";
import { describeMachines, folder, freshStack, type Machines, network, reachable, reset, startMachines, stopMachines } from "./machines";
import { benchOverlays } from "./overlay";

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

async function succeed(result: Promise<{ code: number; stdout: string; stderr: string }>): Promise<void> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
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
  const { stdout } = await stack.preview("--json");
  const { steps } = JSON.parse(stdout) as { steps: { newState?: { type: string; custom?: boolean } }[] };
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
  await stack.pulumi(["stack", "rm", "--yes", "--force"]);
  await stack.init();
  await stack.setConfig(Object.fromEntries(Object.entries(counts).map(([kind, count]) => [`bare:${kind}`, String(count)])));
  return stack;
}

async function benchUp(count: number): Promise<void> {
  const machines = await startMachines(count);
  const stack = new Stack("bench", join(root, "bench", "existing"));
  await freshStack(stack);
  await describeMachines(stack, machines);
  const floor = await bare("floor", await countResources(stack));
  const [ups, scripts, floors, quiet, quietScripts]: number[][] = [[], [], [], [], []];
  try {
    for (let round = 0; round < rounds; round++) {
      scripts?.push(
        await seconds(async () => {
          await succeed(handWritten(machines));
          await reachable(machines);
        }),
      );
      quietScripts?.push(await seconds(() => succeed(handWritten(machines))));
      await reset(machines);
      ups?.push(
        await seconds(async () => {
          await succeed(stack.up());
          await reachable(machines);
        }),
      );
      quiet?.push(await seconds(() => succeed(stack.up())));
      // A network in use is rightly not removed.
      await machines.shell.on(machines.names.at(-1) ?? "", "docker rm -f target");
      await succeed(stack.destroy());
      await reset(machines);
      floors?.push(await seconds(() => succeed(floor.up())));
      await succeed(floor.destroy());
    }
    const [up, script, engine] = [median(ups ?? []), median(scripts ?? []), median(floors ?? [])];
    row(`up, ${count} hosts, to the first reply by name`, up, script, "hand-written parallel SSH script");
    row(`  … less the engine's own floor (${engine.toFixed(1)} s)`, up - engine, script, "aim: at most 1.5×");
    row(`up with nothing to do, ${count} hosts`, median(quiet ?? []), median(quietScripts ?? []), "the script again");
  } finally {
    machines.shell.close();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await floor.pulumi(["stack", "rm", "--yes", "--force"]);
    await stopMachines();
  }
}

function handWritten({ names }: Machines): ReturnType<typeof run> {
  return run("bash", [join(root, "bench", "existing-hosts.sh"), join(folder, "ssh_config"), `${network.replace("0.0/16", "0.1")}`, "3", ...names]);
}

async function benchPreview(count: number): Promise<void> {
  const stack = new Stack("bench", join(root, "bench", "existing"));
  await freshStack(stack);
  await describeMachines(stack, {
    addresses: Array.from({ length: count }, (_, index) => `10.${221 + Math.floor(index / 250)}.2.${(index % 250) + 1}`),
  });
  const floor = await bare("floor", await countResources(stack));
  const [ours, theirs]: number[][] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const pair = [await seconds(() => succeed(stack.preview())), await seconds(() => succeed(floor.preview()))];
    // The first round warms the caches.
    if (round > 0) {
      ours?.push(pair[0] ?? 0);
      theirs?.push(pair[1] ?? 0);
    }
  }
  row(`preview, ${count} hosts`, median(ours ?? []), median(theirs ?? []), "bare program with as many resources; aim: 1.2×");
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
