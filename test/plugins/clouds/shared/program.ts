import { execFile } from "node:child_process";

/** Runs a program of this machine. @returns what it printed */
export function runProgram(program: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((done, failed) => {
    const limit = { maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(program, args, limit, (error, stdout, stderr) =>
      error ? failed(new Error(`${program} ${args.join(" ")}: ${stderr || error.message}`)) : done(stdout),
    );
    // A program that reads nothing may have ended by now.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
