import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lookAtCluster } from "../../components/status/cluster";
import { type Report, reportOf } from "../../components/status/report";
import { targetsIn } from "../../components/status/source/state";
import type { Target } from "../../components/status/source/target";
import { type CommandResult, root, run } from "../../tools/lab/pulumi";
import type { Lab } from "./lab";

const folder = join(root, "test", "status", "seen");

/** What the program reads from the stack. To get it takes longer than to look. */
export async function targetOf(lab: Lab): Promise<Target> {
  const { stdout } = await lab.stack.pulumi(["stack", "export", "--show-secrets"]);
  const [target] = targetsIn(stdout, `the stack ${lab.name}`);
  if (!target) throw new Error("the stack has no cluster");
  return target;
}

/**
 * Looks at a lab's cluster as the program does. With `UPDATE_GOLDEN` set, what was seen becomes a record, by which the unit ring judges what is
 * found and said.
 */
export async function lookAt(target: Target, record?: string): Promise<Report> {
  const seen = await lookAtCluster(target, { reachableSeconds: 10, io: {} });
  if (record !== undefined && process.env["UPDATE_GOLDEN"]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${record}.json`), `${JSON.stringify(seen, null, 2)}\n`);
  }
  return reportOf(seen);
}

/** The program itself, in the folder of the stack's program. */
export function statusProgram(lab: Lab, args: readonly string[], stdin = ""): Promise<CommandResult> {
  const program = join(root, "dist", "components", "cli", "main.js");
  return run("node", [program, "status", ...args], { cwd: lab.stack.folder, env: lab.stack.env, stdin });
}
