import { spawn } from "node:child_process";

export interface PreviewRun {
  readonly stdout: string;
  readonly code: number;
}

/**
 * Runs `pulumi preview` and returns what it printed. Its errors and warnings go where this program's do.
 *
 * @throws when there is no such program.
 */
export function runPreview(args: readonly string[]): Promise<PreviewRun> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", ["preview", "--json", "--show-sames", ...args], { stdio: ["inherit", "pipe", "inherit"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ stdout: Buffer.concat(chunks).toString("utf8"), code: code ?? 1 }));
  });
}
