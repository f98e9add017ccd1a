import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import { type Connection, defaultRemoteLimits, RemoteError, type RemoteLimits } from "./connection";
import { formerKeyOf, hangUp } from "./dial";
import { EngineSocket } from "./engine-socket";
import { quote, type ScriptValues, scriptInput } from "./script";
import { utf8, utf8Lines } from "./text";
import { traced } from "../trace";
import { untilReached } from "./until-reached";
import { Ways } from "./ways";

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a session comes to stand. */
export interface OpenOptions {
  /** What it shares with others, and whoever made it closes. @default - it shares nothing */
  readonly ways?: Ways;
  /** Nothing of what stands already is part of its way. @default false */
  readonly fresh?: boolean;
}

/** A pinned, keep-alive SSH session to one host. Many commands may run on it at once. */
export class SshSession {
  /** Every command asks it first, and every request to Docker. @throws RemoteError when this run may not work on the host any more. */
  mayWork: () => void = () => {};
  /** Milliseconds that the host took at most so far to let us in, or to begin a command: it is slow, or far away, or this machine is. */
  slowest: number;
  private readonly engine = new EngineSocket();

  private constructor(
    readonly host: string,
    private client: Client,
    private readonly connection: Connection,
    /** Empty where the session shares another's. */
    private ownWays: Ways,
    dialled: number,
  ) {
    this.slowest = dialled;
  }

  /**
   * Dials until the host answers or the limit is over. A wrong host key, a key that is refused or cannot be read, and a missing
   * program end it at once: waiting does not help.
   *
   * @throws RemoteError that names the host, the address, what was seen first and what to do.
   */
  static async open(
    host: string,
    connection: Connection,
    limits: RemoteLimits = defaultRemoteLimits,
    onRetry: (reason: string) => void = () => {},
    { ways, fresh = false }: OpenOptions = {},
  ): Promise<SshSession> {
    const own = new Ways();
    try {
      const { client, took } = await untilReached(host, connection, limits, onRetry, (left) =>
        traced("dial", "ssh", host, () => (ways ?? own).client(connection, { limits: left, fresh })),
      );
      return new SshSession(host, client, connection, own, took);
    } catch (error) {
      own.close();
      throw error;
    }
  }

  /** Runs one command; its standard input is closed after `stdin`. Rejects only when the session breaks or time is up. */
  run(command: string, options: { stdin?: string; timeout: number; onStderr?: (line: string) => void }): Promise<CommandResult> {
    // Listeners must be there before the channel's next packet: a short command's exit status may be in the same one.
    return this.exec(command, options.timeout, (channel) => this.collect(channel, options));
  }

  private collect(channel: ClientChannel, options: { stdin?: string; timeout: number; onStderr?: (line: string) => void }): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      let stdout = "";
      let stderr = "";
      let code = 255;
      const timer = setTimeout(() => {
        channel.close();
        reject(new RemoteError(this.host, `did not finish within ${options.timeout / 1000} s. It said last: ${lastLine(stderr) || "nothing"}`));
      }, options.timeout);
      channel.on(
        "data",
        utf8((text) => (stdout += text)),
      );
      channel.stderr.on(
        "data",
        utf8((text) => (stderr += text)),
      );
      channel.stderr.on("data", utf8Lines(options.onStderr ?? (() => {})));
      channel.on("exit", (exit: number | null) => (code = exit ?? 255));
      channel.on("close", () => {
        clearTimeout(timer);
        resolve({ code, stdout, stderr });
      });
      channel.end(options.stdin ?? "");
    });
  }

  /**
   * Runs a script of ours with its values, all by standard input: nothing of it can be read in the process list.
   * The script's last line on standard output is its result in JSON.
   */
  async script<Result>(
    text: string,
    values: ScriptValues,
    options: { verb: string; timeout: number; onProgress?: (line: string) => void },
  ): Promise<Result> {
    const result = await traced("script", options.verb, this.host, () =>
      this.run(this.privileged("sh -s"), {
        stdin: scriptInput(text, options.verb, values),
        timeout: options.timeout,
        ...(options.onProgress && { onStderr: options.onProgress }),
      }),
    );
    if (result.code !== 0) {
      const said = lastLine(result.stderr) || lastLine(result.stdout);
      const reason = said || "no message";
      // A script that gives up says why, in a sentence that others may follow.
      const code = said && result.code === 1 ? "" : ` (exit code ${result.code})`;
      throw new RemoteError(this.host, sudoHint(reason, this.connection) ?? `${reason}${code}`);
    }
    const line = lastLine(result.stdout);
    const answer = parsed<Result>(line);
    if (answer) return answer.value;
    const full = await this.fullDisk();
    const why = full === undefined ? "a file there may be damaged" : `its disk with ${full} is full. Fix: make room there, then run again`;
    throw new RemoteError(this.host, `a script of this package answers with ${line.slice(0, 300) || "nothing"}, which is no JSON: ${why}`);
  }

  /** A folder that a script needs and on whose disk nothing is left. */
  private async fullDisk(): Promise<string | undefined> {
    const ask = `for folder in /tmp /var /etc /run; do [ "$(df -Pk "$folder" | awk 'END { print $4 }')" -ge 64 ] || { echo "$folder"; break; }; done`;
    const said = await this.run(this.privileged(`sh -c ${quote(ask)}`), { timeout: 10_000 }).catch(() => undefined);
    return said?.code === 0 ? lastLine(said.stdout) || undefined : undefined;
  }

  /** A raw stream to the host's Docker engine. */
  async dockerStream(): Promise<Duplex> {
    return traced("dial", "docker", this.host, async () => {
      // Whoever needs sudo for the engine would not get in by its socket.
      const forwarded = this.usesSudo
        ? undefined
        : await this.begin<Duplex | undefined>((client, begun) => this.engine.open(client, (stream) => begun(undefined, stream)), 10_000);
      return forwarded ?? this.exec(this.privileged("docker system dial-stdio"), 10_000, (channel) => channel);
    });
  }

  /** A command as root that lives on, and what it reads and writes. */
  stream<Result>(command: string, use: (channel: ClientChannel) => Result | Promise<Result>): Promise<Result> {
    return this.exec(this.privileged(command), 10_000, use);
  }

  /** Goes on over the connection of another session to the same host, as after its reboot. Nobody else is to use or close that one. */
  become(other: SshSession): void {
    this.close();
    this.client = other.client;
    this.ownWays = other.ownWays;
  }

  close(): void {
    hangUp(this.client);
    this.ownWays.close();
  }

  /** The key of before that let us in. @returns undefined where the connection's own did */
  get formerKey(): string | undefined {
    return formerKeyOf(this.client);
  }

  /** Where the host is, the same in all runs that dial it in the same way. */
  get address(): string {
    const { host, port = 22 } = this.connection;
    return `${host}:${port}`;
  }

  private get usesSudo(): boolean {
    return this.connection.sudo ?? (this.connection.user ?? "root") !== "root";
  }

  private privileged(command: string): string {
    return this.usesSudo ? `sudo -n ${command}` : command;
  }

  private exec<Result>(command: string, timeout: number, use: (channel: ClientChannel) => Result | Promise<Result>): Promise<Result> {
    return this.begin<Result | undefined>((client, begun) => {
      client.exec(command, (error, channel) => begun(error, error ? undefined : use(channel)));
    }, timeout) as Promise<Result>;
  }

  /** @param start What begins on a connection that stands, and what comes of it. */
  private begin<Result>(
    start: (client: Client, begun: (error: Error | undefined, result: Result | Promise<Result>) => void) => void,
    timeout: number,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.mayWork();
      const asked = Date.now();
      const timer = setTimeout(() => reject(new RemoteError(this.host, "the SSH session no longer answers")), timeout);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(new RemoteError(this.host, brokenSession(error.message)));
      };
      this.client.once("error", fail);
      try {
        start(this.client, (error, result) => {
          clearTimeout(timer);
          this.client.off("error", fail);
          this.slowest = Math.max(this.slowest, Date.now() - asked);
          if (error) fail(error);
          else resolve(result);
        });
      } catch (error) {
        fail(error as Error);
      }
    });
  }
}

function sudoHint(reason: string, connection: Connection): string | undefined {
  if (/sudo: (command )?not found/.test(reason))
    return `user ${connection.user ?? "root"} is not root and there is no sudo: install it, or connect as root`;
  if (!/^sudo: /.test(reason)) return undefined;
  return `user ${connection.user ?? "root"} may not use sudo without a password (${reason}); allow it with NOPASSWD, or connect as root`;
}

function parsed<Result>(line: string): { readonly value: Result } | undefined {
  try {
    return { value: JSON.parse(line) as Result };
  } catch {
    return undefined;
  }
}

/** A run has a few sessions at once on one connection: a script, streams to Docker, the lock. */
export function brokenSession(said: string): string {
  if (!/Channel open failure/i.test(said)) return `the SSH session broke: ${said}`;
  return `its sshd opens no further session on the same connection (${said}). Fix: set MaxSessions in its sshd_config to 10, the default, or more, and reload sshd`;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}
