import { type ChildProcess, spawn } from "node:child_process";
import { basename } from "node:path";
import { Duplex } from "node:stream";
import type { Connection } from "./connection";

/** What another try would meet too, however long one waits. */
export class CannotDial extends Error {}

/** A program whose standard input and output are the way to a host. */
export interface Carrier {
  readonly stream: Duplex;
  /** Why the program ended, or could not be started; in its own words where it had any. */
  readonly ended: Promise<Error>;
  /** What it said last on standard error. */
  said(): string;
  stop(): void;
}

/** What to install, of programs whose name alone does not say it. */
const packages: Readonly<Record<string, string>> = {
  aws: "the AWS CLI and its Session Manager plugin",
  gcloud: "the Google Cloud CLI",
};

/** Time for a program to say goodbye, once its input has ended. */
const patience = 1_000;

const mostSaid = 4_096;

/** Also this process ends before they do, by `process.exit` right after the last session was closed. */
const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => signal(child, "SIGHUP")));

/** The command's words with the tokens of OpenSSH's ProxyCommand filled in: `%h` host, `%p` port, `%r` user, `%%` a percent sign. */
export function proxyWords(command: readonly string[], { host, port = 22, user = "root" }: Pick<Connection, "host" | "port" | "user">): string[] {
  const tokens: Readonly<Record<string, string>> = { "%": "%", h: host, p: String(port), r: user };
  return command.map((word) => word.replaceAll(/%([%hpr])/g, (_, token: string) => tokens[token] ?? ""));
}

/** Starts the program. No shell is between: each word is one argument. */
export function carry(command: readonly string[], connection: Pick<Connection, "host" | "port" | "user">): Carrier {
  const [program = "", ...words] = proxyWords(command, connection);
  // A group of its own: what the program starts itself ends with it.
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-mostSaid)));
  const ended = new Promise<Error>((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => resolve(notStarted(program, error)));
    child.on("close", (code, by) => resolve(endOf(program, code === null ? `by ${by}` : `with exit code ${code}`, said)));
  });
  running.add(child);
  void ended.then(() => running.delete(child));
  // The stream reports it; a write that comes later than the program's end must not end this process.
  child.stdin.on("error", () => {});
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  const stop = (): void => void setTimeout(() => running.has(child) && signal(child, "SIGKILL"), patience).unref();
  stream.once("finish", stop).once("close", stop);
  return { stream, ended, said: () => lastLine(said), stop: () => void stream.destroy() };
}

function notStarted(program: string, { code, message }: NodeJS.ErrnoException): Error {
  if (code !== "ENOENT") return new CannotDial(`the program ${program} cannot be started: ${message}`);
  return new CannotDial(`the program ${program} is not installed. Fix: install ${packages[basename(program)] ?? "it, or correct proxyCommand"}`);
}

function endOf(program: string, how: string, said: string): Error {
  if (/SessionManagerPlugin is not found/.test(said)) {
    return new CannotDial(`the program ${program} has no Session Manager plugin. Fix: install the plugin beside the AWS CLI`);
  }
  return new Error(`the program ${program} ended ${how}: ${lastLine(said).replace(/\.$/, "") || "it said nothing"}`);
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name);
  } catch {
    // It has ended in the meantime.
  }
}
