import { spawn } from "node:child_process";
import { NoTarget } from "./target";

/**
 * The state of a stack with its secrets, as the Pulumi CLI on this machine gives it: by a pipe, to no file. What it says on standard error goes
 * where this program's does, and it may ask for the passphrase there.
 *
 * @param stack @default - the one that is selected
 * @throws NoTarget
 */
export function exportStack(stack: string | undefined): Promise<string> {
  const args = ["stack", "export", "--show-secrets", ...(stack === undefined ? [] : ["--stack", stack])];
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", args, { stdio: ["inherit", "pipe", "inherit"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", ({ message }) =>
      reject(new NoTarget(`pulumi cannot be run: ${message}. Fix: put the Pulumi CLI on the PATH, or give the state by a file or --connection`)),
    );
    child.on("close", (code) => {
      if (code === 0) return resolve(Buffer.concat(chunks).toString("utf8"));
      reject(
        new NoTarget(
          `"pulumi ${args.join(" ")}" ended with code ${code}; what it said is above. Fix: run this in the program's folder, or name the stack`,
        ),
      );
    });
  });
}
