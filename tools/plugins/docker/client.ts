import Docker from "dockerode";
import { text } from "../shared/properties";
import type { Props } from "../shared/values";
import { sshAgent } from "./ssh";

const DEFAULT_HOST = "unix:///var/run/docker.sock";

interface Connection {
  readonly host: string;
  readonly client: Docker;
  answered?: Promise<unknown> | undefined;
}

let current: Connection | undefined;

/** Sets the daemon from the provider's `host`, else DOCKER_HOST, else the local socket. `sshOpts` comes as JSON, as the SDK sends lists. */
export function configureDocker(config: Props): void {
  const options = text(config, "sshOpts");
  current = connect(text(config, "host") || process.env["DOCKER_HOST"] || DEFAULT_HOST, options ? (JSON.parse(options) as string[]) : []);
}

function connection(): Connection {
  current ??= connect(process.env["DOCKER_HOST"] || DEFAULT_HOST, []);
  return current;
}

export function docker(): Docker {
  return connection().client;
}

/** Asks the daemon for a sign of life, once: terraform-provider-docker v4.5.0, internal/provider/config.go, MakeClient. */
export async function connected(): Promise<void> {
  const there = connection();
  there.answered ??= there.client.ping();
  try {
    await there.answered;
  } catch (error) {
    // Only what answered is kept.
    there.answered = undefined;
    const advice = `please make sure that ${there.host} is reachable and has a  '_ping' endpoint`;
    throw new Error(`failed to create Docker client: Error pinging Docker server, ${advice}. Error: ${reasonOf(error)}`);
  }
}

function connect(host: string, sshOptions: readonly string[]): Connection {
  const address = new URL(host);
  switch (address.protocol) {
    case "unix:":
      return { host, client: new Docker({ socketPath: address.pathname }) };
    case "tcp:":
    case "http:":
      return { host, client: new Docker({ host: address.hostname, port: address.port || 2375, protocol: "http" }) };
    case "ssh:":
      // The name in its requests is Docker's own, too.
      return { host, client: new Docker({ host: "docker.example.com", port: 80, protocol: "http", agent: sshAgent(address, sshOptions) } as object) };
    default:
      throw new Error(
        `host: ${host}: this stand-in plugin reaches a daemon by unix://, tcp:// or ssh:// only; use the real one for ${address.protocol}//`,
      );
  }
}

export function statusOf(error: unknown): number | undefined {
  return typeof error === "object" && error !== null && "statusCode" in error ? Number(error.statusCode) : undefined;
}

/** The result, or `undefined` when the daemon knows no such thing. */
export async function unlessGone<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** The daemon's own words without dockerode's prefix, behind what was tried. */
export async function attempting<T>(what: string, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw new Error(`${what}: ${reasonOf(error)}`);
  }
}

export function reasonOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "json" in error) {
    const { json } = error;
    if (typeof json === "object" && json !== null && "message" in json) return String(json.message);
  }
  return error instanceof Error ? error.message : String(error);
}
