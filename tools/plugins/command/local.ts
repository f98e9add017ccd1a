import { spawn } from "node:child_process";
import { once } from "node:events";
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
    const child = spawn(program, [...options, command], {
      cwd: text(inputs, "dir") ?? process.cwd(),
      env: { ...process.env, ...givenEnvironment(inputs), ...previous },
      stdio: [stdin === "" ? "ignore" : "pipe", "pipe", "pipe"],
    });
    child.stdout?.on("data", (data: Buffer) => output.add("stdout", data));
    child.stderr?.on("data", (data: Buffer) => output.add("stderr", data));
    // A command that ends without reading its input is no error.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(stdin);
    const stop = (): void => {
      child.kill("SIGKILL");
      // What the shell started may live on and hold the pipes open: it must not hold the operation.
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    context.signal.addEventListener("abort", stop);
    if (context.signal.aborted) stop();
    try {
      const [status, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
      return endingOf(status, signal);
    } catch (error) {
      return { failure: startFailure(program, text(inputs, "dir"), error) };
    } finally {
      context.signal.removeEventListener("abort", stop);
    }
  };
}

function endingOf(status: number | null, signal: NodeJS.Signals | null): Ending {
  if (signal === "SIGKILL") return { failure: "signal: killed" };
  if (signal !== null) return { failure: `signal: ${signal}` };
  return status === 0 ? {} : { failure: `exit status ${status}` };
}

/** Node says ENOENT both for a missing program and for a missing directory. */
function startFailure(program: string, dir: string | undefined, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `cannot start ${program}${dir === undefined ? "" : ` in ${dir}`}: ${message}`;
}
