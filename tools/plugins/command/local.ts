import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { text, texts } from "../shared/properties";
import { commandResource } from "./command";
import { givenEnvironment, type Ending, type Runner } from "./run";

const DEFAULT_INTERPRETER = ["/bin/sh", "-c"];

export const localCommand = commandResource({
  inputs: ["dir", "interpreter"],
  required: [],
  refused: ["archivePaths", "assetPaths"],
  runner: runHere(),
});

function runHere(): Runner {
  return async (command, inputs, previous, output, context) => {
    const given = texts(inputs, "interpreter") ?? [];
    const [program = "/bin/sh", ...options] = given.length > 0 ? given : DEFAULT_INTERPRETER;
    const stdin = text(inputs, "stdin") ?? "";
    const dir = text(inputs, "dir");
    try {
      const child = spawn(program, [...options, command], {
        cwd: dir ?? process.cwd(),
        env: { ...process.env, ...givenEnvironment(inputs), ...previous },
        stdio: [stdin === "" ? "ignore" : "pipe", "pipe", "pipe"],
      });
      child.stdout?.on("data", (data: Buffer) => output.add("stdout", data));
      child.stderr?.on("data", (data: Buffer) => output.add("stderr", data));
      // A command that ends without reading its input is no error.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(stdin);
      return await endOf(child, context.signal);
    } catch (error) {
      return { failure: startFailure(program, dir, error) };
    }
  };
}

/**
 * As the real one (os/exec of Go): only the program itself is killed, and what it started holds the operation for as long as it
 * holds the program's output open.
 */
async function endOf(child: ChildProcess, aborted: AbortSignal): Promise<Ending> {
  const stop = (): void => void child.kill("SIGKILL");
  aborted.addEventListener("abort", stop);
  if (aborted.aborted) stop();
  try {
    const [status, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return endingOf(status, signal);
  } finally {
    aborted.removeEventListener("abort", stop);
  }
}

function endingOf(status: number | null, signal: NodeJS.Signals | null): Ending {
  if (signal === "SIGKILL") return { failure: "signal: killed" };
  if (signal !== null) return { failure: `signal: ${signal}` };
  return status === 0 ? {} : { failure: `exit status ${status}` };
}

/** In the words of Go's os/exec. Node says ENOENT both for a missing program and for a missing directory. */
function startFailure(program: string, dir: string | undefined, error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const path = program.includes("/") ? program : onPath(program);
  if (dir !== undefined && !existsSync(dir)) return `chdir ${dir}: no such file or directory`;
  if (path === undefined) return `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
  // One argument or variable may have 128 KiB (Linux' MAX_ARG_STRLEN), all together a quarter of the stack's limit.
  if (code === "E2BIG") return `fork/exec ${path}: argument list too long`;
  if (code === "ENOENT") return `fork/exec ${path}: no such file or directory`;
  return `fork/exec ${path}: ${error instanceof Error ? error.message : String(error)}`;
}

function onPath(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}
