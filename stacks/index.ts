import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { buildProblem, configProblem } from "./ready";

/** Runs the program that the stack names: stack `local`, or `local-…`, runs `stacks/local.ts`; `aws` and `hybrid` likewise. */
const stack = pulumi.getStack();
const program = ["local", "aws", "hybrid"].find((name) => stack === name || stack.startsWith(`${name}-`));
if (program === undefined || !existsSync(join(__dirname, `${program}.ts`))) {
  throw new pulumi.RunError(
    `No program for the stack "${stack}": name it local, aws or hybrid, or local-something, or add stacks/${stack}.ts to stacks/index.ts.`,
  );
}
const config = new pulumi.Config();
const problem = buildProblem(dirname(__dirname)) ?? configProblem(program, stack, (key) => config.get(key) !== undefined);
if (problem !== undefined) throw new pulumi.RunError(`${problem}.`);
// A program is chosen at run time, so it cannot be imported at the top.
// eslint-disable-next-line @typescript-eslint/no-require-imports
module.exports = require(`./${program}`) as unknown;
