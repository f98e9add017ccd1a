import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** The repository's root, from dist/tools/lab or tools/lab. */
export const root = __dirname.includes(`${join("dist", "tools")}`) ? dirname(dirname(dirname(__dirname))) : dirname(dirname(__dirname));

// Plain JavaScript, because the setup runs before anything is compiled.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { labEnv } = require(join(root, "tools", "setup", "env.js")) as { labEnv: () => NodeJS.ProcessEnv };

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Shows what the command prints while it runs. */
  readonly show?: boolean;
  /** Ends the command by SIGKILL after this many milliseconds, or when `kill` says so of what was printed so far. */
  readonly killAfter?: number;
  readonly killWhen?: (output: string) => boolean;
  /** The command's process group, as soon as there is one: a signal to it stops all that the command started. */
  readonly onStart?: (group: number) => void;
  /** Each line that the command prints, as soon as it is whole. */
  readonly seen?: (line: string) => void;
  readonly stdin?: string;
}

/** Runs a program and waits for it. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd ?? root, env: options.env ?? labEnv(), detached: true, stdio: ["pipe", "pipe", "pipe"] });
    if (child.pid !== undefined) options.onStart?.(child.pid);
    let stdout = "";
    let stderr = "";
    // A group of its own, so that the program's children end with it, as when a machine loses power.
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It ended by itself in the meantime.
      }
    };
    const timer = options.killAfter === undefined ? undefined : setTimeout(kill, options.killAfter);
    const seen = (): void => {
      if (options.killWhen?.(stdout + stderr)) kill();
    };
    const [tellOut, tellErr] = [lineByLine(options.seen), lineByLine(options.seen)];
    child.stdout.setEncoding("utf8").on("data", (data: string) => {
      stdout += data;
      if (options.show) process.stdout.write(data);
      tellOut(data);
      seen();
    });
    child.stderr.setEncoding("utf8").on("data", (data: string) => {
      stderr += data;
      if (options.show) process.stderr.write(data);
      tellErr(data);
      seen();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 137, stdout, stderr });
    });
    child.stdin.on("error", () => {});
    child.stdin.end(options.stdin ?? "");
  });
}

/** Of one stream: a line may come in pieces. */
function lineByLine(tell: (line: string) => void = () => {}): (data: string) => void {
  let begun = "";
  return (data) => {
    const lines = (begun + data).split("\n");
    begun = lines.pop() ?? "";
    for (const line of lines) tell(line);
  };
}

/** The Pulumi CLI on one stack of one program folder, with the project's own home, state and passphrase. */
export class Stack {
  constructor(
    readonly name: string,
    readonly folder: string = root,
    private readonly extra: NodeJS.ProcessEnv = {},
  ) {}

  get env(): NodeJS.ProcessEnv {
    // ts-node's type check doubles the start; the lint ring has checked the types already.
    return { ...labEnv(), PULUMI_NODEJS_TRANSPILE_ONLY: "true", PULUMI_PARALLEL: "64", ...this.extra };
  }

  pulumi(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return run("pulumi", [...args, "--stack", this.name, "--non-interactive", "--color", "never"], { cwd: this.folder, env: this.env, ...options });
  }

  async init(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    this.mendState();
    const result = await run("pulumi", ["stack", "select", this.name, "--create", "--non-interactive"], { cwd: this.folder, env: this.env });
    if (result.code !== 0) throw new Error(`the stack ${this.name} cannot be made: ${result.stderr || result.stdout}`);
  }

  async setConfig(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [key, value] of Object.entries(values)) {
      const result = await this.pulumi(["config", "set", key, value]);
      if (result.code !== 0) throw new Error(`cannot set ${key}: ${result.stderr}`);
    }
  }

  up(options?: RunOptions, ...more: readonly string[]): Promise<CommandResult> {
    return this.pulumi(["up", "--yes", "--skip-preview", ...more], options);
  }

  preview(...more: readonly string[]): Promise<CommandResult> {
    return this.pulumi(["preview", ...more]);
  }

  refresh(): Promise<CommandResult> {
    return this.pulumi(["refresh", "--yes", "--skip-preview"]);
  }

  destroy(options?: RunOptions): Promise<CommandResult> {
    return this.pulumi(["destroy", "--yes", "--skip-preview"], options);
  }

  async outputs<Outputs>(): Promise<Outputs> {
    const result = await this.pulumi(["stack", "output", "--json", "--show-secrets"]);
    if (result.code !== 0) throw new Error(`no outputs: ${result.stderr}`);
    return JSON.parse(result.stdout) as Outputs;
  }

  async export(): Promise<string> {
    return (await this.pulumi(["stack", "export"])).stdout;
  }

  /**
   * After a kill in the middle of making a container, Docker has it and Pulumi's state does not: its name would be taken.
   * Removes the containers of this prefix that the state does not know.
   */
  async sweep(prefix: string): Promise<void> {
    const state = await this.export();
    const { stdout } = await run("docker", ["ps", "-a", "--no-trunc", "--filter", `name=^${prefix}-`, "--format", "{{.ID}}"]);
    const strays = stdout.split("\n").filter((id) => id !== "" && !state.includes(id));
    if (strays.length > 0) await run("docker", ["rm", "-f", "-v", ...strays]);
    const networks = await run("docker", ["network", "ls", "--no-trunc", "--filter", `name=^${prefix}-site`, "--format", "{{.ID}}"]);
    const strayNetworks = networks.stdout.split("\n").filter((id) => id !== "" && !state.includes(id));
    if (strayNetworks.length > 0) await run("docker", ["network", "rm", ...strayNetworks]);
  }

  /** After a kill, Pulumi's own lock on the stack stays. */
  async cancel(): Promise<CommandResult> {
    this.mendState();
    return this.pulumi(["cancel", "--yes"]);
  }

  /**
   * A kill while the state is written leaves it with an empty list of attributes, on which Pulumi then fails ("failed to
   * load checkpoint: EOF"). The state itself is whole, and needs none.
   */
  private mendState(): void {
    const stacks = join(root, ".lab", "state", ".pulumi", "stacks");
    for (const project of existsSync(stacks) ? readdirSync(stacks) : []) {
      for (const file of readdirSync(join(stacks, project)).filter((name) => name.startsWith(`${this.name}.json`))) {
        const path = join(stacks, project, file);
        if (file.endsWith(".tmp") || (file.endsWith(".attrs") && statSync(path).size === 0)) rmSync(path);
      }
    }
  }
}
