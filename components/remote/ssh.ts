import { timingSafeEqual } from "node:crypto";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { type Connection, defaultRemoteLimits, RemoteError, type RemoteLimits } from "./connection";
import { CannotDial, type Carrier, carry } from "./proxy";
import { quote, type ScriptValues, scriptInput } from "./script";

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Milliseconds that a dial may take longer where a program has to start, and to sign in somewhere, before it carries anything. */
const carrierStart = 20_000;

/** A pinned, keep-alive SSH session to one host. Many commands may run on it at once. */
export class SshSession {
  private constructor(
    readonly host: string,
    private readonly client: Client,
    private readonly connection: Connection,
    private readonly bastion: Client | undefined,
  ) {}

  /**
   * Dials until the host answers or the limit is over. A wrong host key, or a missing program, ends it at once: waiting cannot
   * mend it.
   *
   * @throws RemoteError that names the host, the address, what was seen last and what to do.
   */
  static async open(
    host: string,
    connection: Connection,
    limits: RemoteLimits = defaultRemoteLimits,
    onRetry: (reason: string) => void = () => {},
  ): Promise<SshSession> {
    const deadline = Date.now() + limits.reachable;
    const target = targetOf(connection);
    for (let wait = 200; ; wait = Math.min(wait * 1.6, 3_000)) {
      const left = deadline - Date.now();
      try {
        const most = limits.dial + (connection.proxyCommand ? carrierStart : 0);
        const dialLimits = { ...limits, dial: Math.max(1_000, Math.min(most, left)) };
        const bastion = connection.bastion && (await dial(connection.bastion, dialLimits));
        try {
          const hop = bastion && (await forward(bastion, connection));
          return new SshSession(host, await dial(connection, dialLimits, hop), connection, bastion);
        } catch (error) {
          bastion?.end();
          throw error;
        }
      } catch (error) {
        if (error instanceof HostKeyMismatch) {
          throw new RemoteError(host, `${target} presented another host key than the one pinned. ${error.message}`);
        }
        if (error instanceof CannotDial) throw new RemoteError(host, `cannot be reached: ${error.message}.`);
        const reason = explain(error);
        if (Date.now() + wait >= deadline) {
          throw new RemoteError(host, `cannot be reached over SSH at ${target} within ${Math.round(limits.reachable / 1000)} s: ${reason}.`);
        }
        onRetry(reason);
        await sleep(wait);
      }
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
      const lines = lineSplitter(options.onStderr ?? (() => {}));
      channel.on("data", (data: Buffer) => (stdout += data.toString()));
      channel.stderr.on("data", (data: Buffer) => {
        stderr += data.toString();
        lines(data.toString());
      });
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
    const result = await this.run(this.privileged("sh -s"), {
      stdin: scriptInput(text, options.verb, values),
      timeout: options.timeout,
      ...(options.onProgress && { onStderr: options.onProgress }),
    });
    if (result.code !== 0) {
      const reason = lastLine(result.stderr) || lastLine(result.stdout) || "no message";
      throw new RemoteError(this.host, sudoHint(reason, this.connection) ?? `${reason} (exit code ${result.code})`);
    }
    return JSON.parse(lastLine(result.stdout)) as Result;
  }

  /** A raw stream to the host's Docker engine; sudo works here where forwarding the socket would not. */
  async dockerStream(): Promise<Duplex> {
    return this.exec(this.privileged("docker system dial-stdio"), 10_000, (channel) => channel);
  }

  /**
   * Takes a lock on the host, held until this session ends, however it ends: the lock is a process at its other end.
   * Waits for another holder.
   */
  async lock(name: string, waitSeconds: number): Promise<void> {
    const file = `/run/lock/${name}.lock`;
    const command = this.privileged(`flock -w ${waitSeconds} ${quote(file)} sh -c 'echo locked; cat >/dev/null'`);
    await this.exec(command, 10_000, (channel) => {
      return new Promise<void>((resolve, reject) => {
        let said = "";
        channel.on("data", () => resolve());
        channel.stderr.on("data", (data: Buffer) => (said += data.toString()));
        channel.on("close", () =>
          reject(new RemoteError(this.host, `another run has worked on this cluster for ${waitSeconds} s and still does ${said.trim()}`.trim())),
        );
      });
    });
  }

  close(): void {
    this.client.end();
    this.bastion?.end();
  }

  private privileged(command: string): string {
    const user = this.connection.user ?? "root";
    return (this.connection.sudo ?? user !== "root") ? `sudo -n ${command}` : command;
  }

  private exec<Result>(command: string, timeout: number, use: (channel: ClientChannel) => Result | Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new RemoteError(this.host, "the SSH session no longer answers")), timeout);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(new RemoteError(this.host, `the SSH session broke: ${error.message}`));
      };
      this.client.once("error", fail);
      try {
        this.client.exec(command, (error, channel) => {
          clearTimeout(timer);
          this.client.off("error", fail);
          if (error) fail(error);
          else resolve(use(channel));
        });
      } catch (error) {
        fail(error as Error);
      }
    });
  }
}

class HostKeyMismatch extends Error {}

class ConnectionLost extends Error {}

function dial(connection: Omit<Connection, "sudo">, limits: RemoteLimits, sock?: Duplex): Promise<Client> {
  const [type = "", pinned = ""] = connection.hostKey.trim().split(/\s+/);
  const client = new Client();
  const carrier = sock === undefined && connection.proxyCommand ? carry(connection.proxyCommand, connection) : undefined;
  const stream = sock ?? carrier?.stream;
  return new Promise((resolve, reject) => {
    let mismatch: HostKeyMismatch | undefined;
    // ssh2's own readyTimeout does not cover a dial that hangs in TCP, so ours goes around everything.
    const timer = setTimeout(() => {
      client.destroy();
      carrier?.stop();
      reject(new Error(silence(limits.dial, carrier)));
    }, limits.dial);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      if (carrier && !mismatch) void whyOf(error, carrier).then(reject);
      else reject(mismatch ?? error);
    };
    client.on("ready", () => {
      clearTimeout(timer);
      resolve(client);
    });
    client.on("error", fail);
    client.on("close", () => fail(new ConnectionLost("the connection was closed before a session stood")));
    const config: ConnectConfig = {
      host: connection.host,
      port: connection.port ?? 22,
      username: connection.user ?? "root",
      readyTimeout: limits.dial,
      keepaliveInterval: limits.keepAlive,
      keepaliveCountMax: 3,
      algorithms: { serverHostKey: hostKeyAlgorithms(type) },
      hostVerifier: (key: Buffer) => {
        const expected = Buffer.from(pinned, "base64");
        const same = key.length === expected.length && timingSafeEqual(key, expected);
        if (!same) mismatch = new HostKeyMismatch(hostKeyAdvice(key));
        return same;
      },
      ...(connection.privateKey && { privateKey: connection.privateKey }),
      ...(connection.passphrase && { passphrase: connection.passphrase }),
      ...(connection.agentSocket && { agent: connection.agentSocket }),
      ...(stream && { sock: stream }),
    };
    try {
      client.connect(config);
    } catch (error) {
      clearTimeout(timer);
      carrier?.stop();
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** Where the stream broke, the program that carried it can say why; what SSH says of its own is better than that. */
async function whyOf(error: Error, carrier: Carrier): Promise<Error> {
  const { level } = error as { level?: string };
  const broke = error instanceof ConnectionLost || level === "client-socket" || /before handshake/.test(error.message);
  const why = broke ? await Promise.race([carrier.ended, sleep(1_000, error, { ref: false })]) : error;
  carrier.stop();
  return why;
}

function silence(limit: number, carrier: Carrier | undefined): string {
  const seconds = `no answer within ${limit / 1000} s`;
  if (!carrier) return `${seconds} (TCP may be open: a frozen or overloaded host looks like this)`;
  return `${seconds} by the program that is to carry the connection, which said ${carrier.said() || "nothing"}`;
}

function forward(bastion: Client, to: Connection): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    bastion.forwardOut("127.0.0.1", 0, to.host, to.port ?? 22, (error, stream) => {
      if (error) reject(new Error(`the bastion cannot reach it: ${error.message}`));
      else resolve(stream);
    });
  });
}

/** Who is dialled where, and by what, as messages say it. */
function targetOf({ user = "root", host, port = 22, proxyCommand }: Connection): string {
  return `${user}@${host}:${port}${proxyCommand ? ` through the program ${proxyCommand[0]}` : ""}`;
}

/** Only the pinned key's own type may be offered, or a host with several keys would present another one. */
function hostKeyAlgorithms(type: string): ServerHostKeyAlgorithm[] {
  return type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type as ServerHostKeyAlgorithm];
}

function hostKeyAdvice(presented: Buffer): string {
  const type = presented.subarray(4, 4 + presented.readUInt32BE(0)).toString();
  return (
    `It presented "${type} ${presented.toString("base64")}". If the machine was reinstalled on purpose, pin this key; ` +
    "if not, somebody may be in between: do not connect."
  );
}

function explain(error: unknown): string {
  const { message, code, level } = error as { message: string; code?: string; level?: string };
  if (level === "client-authentication") return "it refused the key (is the public key in authorized_keys of this user?)";
  if (code === "ECONNREFUSED") return "connection refused (is sshd running, and is this the right port?)";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "no route to it (is the machine up, and is the address right?)";
  if (code === "ENOTFOUND") return "its name cannot be resolved";
  if (/Handshake failed/.test(message)) return `${message} (does the host have a host key of the pinned type?)`;
  return message;
}

function sudoHint(reason: string, connection: Connection): string | undefined {
  if (/sudo: (command )?not found/.test(reason))
    return `user ${connection.user ?? "root"} is not root and there is no sudo: install it, or connect as root`;
  if (!/^sudo: /.test(reason)) return undefined;
  return `user ${connection.user ?? "root"} may not use sudo without a password (${reason}); allow it with NOPASSWD, or connect as root`;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}

function lineSplitter(onLine: (line: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    lines.filter((line) => line.trim() !== "").forEach(onLine);
  };
}
