import { Agent, request } from "node:http";
import type { Duplex } from "node:stream";
import { RemoteError } from "./connection";
import { pLimit } from "./limit";
import type { SshSession } from "./ssh";
import { traced } from "../trace";

/** The engine answered with an error; `status` is HTTP's. */
export class DockerApiError extends Error {
  constructor(
    readonly host: string,
    readonly status: number,
    readonly reason: string,
    what: string,
  ) {
    super(`${host}: Docker refused ${what}: ${reason}`);
    this.name = "DockerApiError";
  }
}

/** It did not answer in time: whether it is there is not known. */
export class DockerSilence extends RemoteError {}

const mostStreams = 4;

/**
 * The Docker Engine API of one host, spoken through SSH. Used instead of the `docker` command because a command's
 * arguments can be read by everyone on the host, and a join token would be one of them.
 */
export class DockerApi {
  private agent: Agent;
  /** The HTTP client counts a stream only once it stands, so a burst of calls would open one for each; sshd allows ten. */
  private readonly limit = pLimit(mostStreams);

  constructor(
    private readonly host: string,
    private readonly session: Pick<SshSession, "dockerStream"> & Partial<Pick<SshSession, "mayWork">>,
  ) {
    this.agent = new SessionAgent(session);
  }

  get<Result>(path: string, timeout = 30_000): Promise<Result> {
    return this.call("GET", path, undefined, timeout);
  }

  post<Result>(path: string, body: unknown = {}, timeout = 30_000): Promise<Result> {
    return this.call("POST", path, body, timeout);
  }

  delete(path: string, timeout = 30_000): Promise<void> {
    return this.call("DELETE", path, undefined, timeout);
  }

  /** Uses no stream any more that stands, as after the session became another one. */
  renew(): void {
    this.agent.destroy();
    this.agent = new SessionAgent(this.session);
  }

  close(): void {
    this.agent.destroy();
  }

  private call<Result>(method: string, path: string, body: unknown, timeout: number): Promise<Result> {
    return this.limit(() =>
      traced("docker", `${method} ${path.split("?")[0] ?? path}`, this.host, () => this.ask<Result>(method, path, body, timeout)),
    );
  }

  private ask<Result>(method: string, path: string, body: unknown, timeout: number): Promise<Result> {
    const what = `${method} ${path.split("?")[0] ?? path}`;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      // A stream that stands already is not asked for again.
      this.session.mayWork?.();
      const outgoing = request(
        {
          agent: this.agent,
          method,
          path,
          host: "docker",
          headers: payload ? { "content-type": "application/json", "content-length": Buffer.byteLength(payload) } : {},
        },
        (incoming) => {
          let text = "";
          incoming.setEncoding("utf8");
          incoming.on("data", (chunk: string) => (text += chunk));
          incoming.on("end", () => {
            clearTimeout(timer);
            const status = incoming.statusCode ?? 0;
            if (status < 300 || status === 304) resolve((text.trim() ? parse(text) : undefined) as Result);
            else reject(new DockerApiError(this.host, status, messageOf(text), what));
          });
        },
      );
      const timer = setTimeout(() => {
        outgoing.destroy();
        reject(new DockerSilence(this.host, `Docker did not answer ${what} within ${timeout / 1000} s`));
      }, timeout);
      outgoing.on("error", (error) => {
        clearTimeout(timer);
        reject(new RemoteError(this.host, `the connection to Docker broke during ${what}: ${error.message}`));
      });
      outgoing.end(payload);
    });
  }
}

class SessionAgent extends Agent {
  constructor(private readonly session: Pick<SshSession, "dockerStream">) {
    super({ keepAlive: true, maxSockets: mostStreams });
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    this.session.dockerStream().then(
      (stream) => callback?.(null, asSocket(stream)),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}

/**
 * Node's HTTP client calls a few socket methods that an SSH channel lacks and does not need. One that it has means less there:
 * a channel that is destroyed is closed only when all that came was read, and till then it would be counted as in use.
 */
function asSocket(stream: Duplex): Duplex {
  const nothing = (): Duplex => stream;
  const destroy = stream.destroy.bind(stream);
  const closing = (error?: Error): Duplex => {
    destroy(error);
    return stream.resume();
  };
  return Object.assign(stream, { destroy: closing, setKeepAlive: nothing, setNoDelay: nothing, setTimeout: nothing, ref: nothing, unref: nothing });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageOf(text: string): string {
  const answer = parse(text);
  const message = typeof answer === "object" && answer !== null ? (answer as { message?: string }).message : undefined;
  return (message ?? text).trim().replace(/^rpc error: code = \w+ desc = /, "");
}
