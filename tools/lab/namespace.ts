import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { docker } from "./docker";
import { type CommandResult, run, type RunOptions } from "./pulumi";
import { isVirtual } from "./virtual";

/*
 * Programs of the outer machine, such as nmap, as if they ran on a host or in a container on a host: they are put into its
 * network and keep everything else, so that nothing need be installed there.
 */

/** File that stands for a network of its own: `nsenter --net` takes it. It changes when the machine is rebooted. */
export type NetworkFile = string & { readonly kind?: "network" };

/** The network of a machine or of any other container of the outer machine; of a virtual machine, the wire that it hangs on. */
export async function networkOf(machine: string): Promise<NetworkFile> {
  return `/proc/${await processOf(machine)}/ns/net`;
}

/** The network of a container that a machine's own Docker runs. */
export async function networkOfContainer(machine: string, container: string): Promise<NetworkFile> {
  if (await isVirtual(machine)) throw new Error(`${machine} has a kernel of its own, whose networks cannot be entered from outside`);
  const inner = await docker("exec", machine, "docker", "inspect", "--format", "{{.State.Pid}}", container);
  return `/proc/${await processOf(machine)}/root/proc/${inner}/ns/net`;
}

async function processOf(container: string): Promise<string> {
  const pid = await docker("inspect", "--format", "{{.State.Pid}}", container);
  if (pid === "0") throw new Error(`${container} does not run`);
  return pid;
}

export function runIn(network: NetworkFile, command: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  return run("nsenter", [`--net=${network}`, command, ...args], options);
}

/** Like {@link runIn}, for commands that are to succeed. @returns what it printed */
export async function askIn(network: NetworkFile, command: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runIn(network, command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}: ${stderr}${stdout}`);
  return stdout.trim();
}

export interface Background {
  /** Ends the program as Ctrl-C does. @returns what it had printed, when it has ended */
  stop(): Promise<string>;
  /** Sends a signal that makes it print something. @returns that, when it has come */
  tell(signal: NodeJS.Signals, answer: RegExp): Promise<string>;
  /** When it ended by itself. @returns what it printed */
  readonly ended: Promise<string>;
}

/** Starts a program that goes on. @returns when it printed `ready` */
export function startIn(network: NetworkFile, ready: RegExp, command: string, ...args: readonly string[]): Promise<Background> {
  return new Promise((resolve, reject) => {
    const child = spawn("nsenter", [`--net=${network}`, command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const ended = new Promise<string>((settle) => child.on("close", () => settle(output)));
    const stop = (): Promise<string> => {
      child.kill("SIGINT");
      return ended;
    };
    let heard = (): void => {};
    const tell = (signal: NodeJS.Signals, answer: RegExp): Promise<string> =>
      new Promise((settle, fail) => {
        const before = output.length;
        heard = () => {
          const [found] = answer.exec(output.slice(before)) ?? [];
          if (found !== undefined) settle(found);
        };
        void ended.then((said) => fail(new Error(`${command} ended: ${said}`)));
        child.kill(signal);
      });
    const seen = (data: string): void => {
      output += data;
      heard();
      if (ready.test(output)) resolve({ stop, tell, ended });
    };
    child.stdout.setEncoding("utf8").on("data", seen);
    child.stderr.setEncoding("utf8").on("data", seen);
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`${command} ended with ${code} before it was ready: ${output}`)));
  });
}

/** What must be installed on the outer machine, and is not. */
export function missingTools(...names: readonly string[]): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter).concat("/usr/sbin", "/sbin");
  const missing = names.filter((name) => !folders.some((folder) => isProgram(join(folder, name))));
  return process.getuid?.() === 0 ? missing : [...missing, "root's rights (to enter the hosts' networks)"];
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * For a `before` hook of tests. Where nobody looks, a lack must not pass for success, so it fails in CI; elsewhere it is said
 * and the tests are skipped.
 */
export function needTools(context: { skip(): void }, ...names: readonly string[]): void {
  const missing = missingTools(...names);
  if (missing.length === 0) return;
  const message = `these tests need ${missing.join(", ")}; as root, node tools/setup/index.js tools installs what can be installed`;
  if (process.env["CI"]) throw new Error(message);
  process.stderr.write(`    ${message}: left out\n`);
  context.skip();
}
