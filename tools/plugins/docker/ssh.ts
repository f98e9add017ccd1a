import { spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex } from "node:stream";

/**
 * Connections to a daemon behind `ssh://`, as Docker's own client makes them: the machine's `ssh` with `docker system dial-stdio` at the other
 * end (docker/cli v28.5.2, cli/connhelper/connhelper.go, getConnectionHelper, and connhelper/ssh/ssh.go). The options go before the host,
 * each as one argument.
 */
export function sshAgent(host: URL, options: readonly string[]): Agent {
  const args = sshArguments(host, options);
  const agent = new Agent({ keepAlive: true });
  agent.createConnection = () => new SshConnection(args);
  return agent;
}

function sshArguments(host: URL, options: readonly string[]): readonly string[] {
  if (host.password !== "") throw new Error("ssh host connection is not valid: invalid SSH URL: plain-text password is not supported");
  if (host.hostname === "") throw new Error("ssh host connection is not valid: invalid SSH URL: hostname is empty");
  const timed = options.join("").includes("ConnectTimeout") ? options : [...options, "-o ConnectTimeout=30"];
  const plain = timed.includes("-T") ? timed : [...timed, "-T"];
  const socket = host.pathname.replace(/^\/+$/, "");
  return [
    ...(host.username === "" ? [] : ["-l", decodeURIComponent(host.username)]),
    ...(host.port === "" ? [] : ["-p", host.port]),
    ...plain,
    "--",
    host.hostname.replace(/^\[|\]$/g, ""),
    `docker ${socket === "" ? "" : `--host=unix://${socket} `}system dial-stdio`,
  ];
}

/** The two pipes of one `ssh`, with what else an HTTP client wants of a socket: connhelper/commandconn/commandconn.go. */
class SshConnection extends Duplex {
  private readonly child;
  private said = "";

  constructor(args: readonly string[]) {
    super();
    this.child = spawn("ssh", [...args], { stdio: ["pipe", "pipe", "pipe"], detached: true });
    const { stdin, stdout, stderr } = this.child;
    stderr.setEncoding("utf8").on("data", (text: string) => (this.said += text));
    stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) stdout.pause();
    });
    // ssh may be gone before all is written: what it says of that comes with its end.
    stdin.on("error", () => undefined);
    this.child.on("error", (error) => this.destroy(error));
    this.child.on("close", (code) => {
      if (code === 0 || this.destroyed) this.push(null);
      else this.destroy(new Error(ended(args, code, this.said)));
    });
  }

  override _read(): void {
    this.child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // An error here would hide what ssh says: see above.
    this.child.stdin.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.child.kill();
    done(error);
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

const ended = (args: readonly string[], code: number | null, said: string): string =>
  `command [ssh ${args.join(" ")}] has exited with exit status ${code ?? "unknown"}, ` +
  `make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=${said.trim()}`;
