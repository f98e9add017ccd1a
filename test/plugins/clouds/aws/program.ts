import { execFile } from "node:child_process";

/** Runs a program of this machine. */
export function runProgram(program: string, args: readonly string[], input = ""): Promise<void> {
  return new Promise((done, failed) => {
    const child = execFile(program, args, (error, _stdout, stderr) => (error ? failed(new Error(`${program}: ${stderr || error.message}`)) : done()));
    // A program that reads nothing may have ended by now.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
