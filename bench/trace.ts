import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { traceVariable } from "../components/trace";
import { readTrace, traceTable } from "../components/trace/table";
import { withCost } from "./cost";
import { describeMachines, folder, freshStack, runBench, withMachines } from "./machines";

/*
 * Where the time of an up goes, with so many prepared hosts: npm run bench:trace -- 3
 * With a second number, also of one with fewer hosts: npm run bench:trace -- 10 3
 */

const [count = 3, fewer] = process.argv.slice(2).map(Number);
const file = join(folder, "trace.json");

async function measure(what: string, names: readonly string[], work: () => Promise<{ code: number; stdout: string; stderr: string }>): Promise<void> {
  rmSync(file, { force: true });
  process.env[traceVariable] = file;
  let took = 0;
  const { result, cost } = await withCost(names, async () => {
    const began = Date.now();
    const ended = await work();
    took = Date.now() - began;
    return ended;
  });
  const { code, stdout, stderr } = result;
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
  process.stdout.write(`\n## ${what}: ${(took / 1000).toFixed(2)} s; ${cost}\n\n`);
  process.stdout.write(traceTable(existsSync(file) ? readTrace(readFileSync(file, "utf8")) : []));
}

runBench(() =>
  withMachines(count, async (stack, machines) => {
    await freshStack(stack);
    await stack.setConfig({ "bench:expose": "{}" });
    await describeMachines(stack, machines);
    const step = (what: string, work: Parameters<typeof measure>[2]): Promise<void> => measure(what, machines.names, work);
    await step(`The first up, ${count} hosts`, () => stack.up());
    await stack.setConfig({ "bench:expose": JSON.stringify({ web: { port: 8080, from: ["world"] } }) });
    await step("an edit of a rule", () => stack.up());
    await step("an up without a change", () => stack.up());
    if (fewer !== undefined) {
      await describeMachines(stack, machines, fewer);
      await step(`${count - fewer} hosts less`, () => stack.up());
    }
    await step("destroy", () => stack.destroy());
  }),
);
